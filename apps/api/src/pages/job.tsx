/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// A job: its verdicts, the loss curves of all its runs in one picture, and its runs. A list of jobs.

import type { Explanation, Job, JobSummary } from '@retraind/shared/wire/resources';
import { Attempts } from './attempts.tsx';
import { BillWords } from './bill.tsx';
import { Checks } from './checks.tsx';
import { renderPage } from './layout.tsx';
import { JobsTable, RunsTable } from './lists.tsx';
import { type Curve, LossCurves } from './loss-curves.tsx';
import { VerdictSection } from './verdict.tsx';
import { Digest, figure, Moment, Progress, RecordRow, StateBadge } from './words.tsx';

/** `falseAlarms`: how many of such verdicts are expected to be wrong, in one sentence. */
export const jobsPage = (jobs: JobSummary[], next: string | null, falseAlarms: string): string =>
  renderPage({
    title: 'Jobs',
    children: (
      <>
        <h1>Jobs</h1>
        <p class="faint">{falseAlarms}</p>
        <JobsTable jobs={jobs} />
        {next && (
          <p>
            <a rel="next" href={`/jobs?cursor=${encodeURIComponent(next)}`}>
              Older jobs →
            </a>
          </p>
        )}
      </>
    ),
  });

export interface JobPageProps {
  job: Job;
  curves: Curve[];
  /** Why it is not running; null where that is no question. */
  explanation: Explanation | null;
}

export const jobPage = ({ job, curves, explanation }: JobPageProps): string =>
  renderPage({
    title: `${job.source} ${job.version}, job ${job.jobId}`,
    trail: [
      { name: 'Packages', href: '/' },
      { name: job.source, href: `/packages/${encodeURIComponent(job.source)}` },
    ],
    children: (
      <>
        <h1>
          {job.source} <span class="version">{job.version}</span>
        </h1>
        <p>
          <StateBadge state={job.state} /> {job.reason}
        </p>
        {job.state === 'retraining' && (
          <p>
            <Progress value={job.progress} label="Progress of the job" /> {job.runsReported} of{' '}
            {job.runsWanted} runs reported
          </p>
        )}
        {job.verdicts.length > 0 && <h2>Verdicts</h2>}
        {job.verdicts.map((verdict) => (
          <VerdictSection verdict={verdict} jobHref={job.href} />
        ))}
        {curves.length > 0 && (
          <>
            <h2>Training</h2>
            <LossCurves curves={curves} />
          </>
        )}
        <h2>Runs</h2>
        <RunsTable runs={job.runs} />
        <Attempts attempts={job.attempts} />
        <Checks checks={job.checks} />
        {explanation && <Why explanation={explanation} />}
        <h2>Registered before any run</h2>
        <Facts job={job} />
      </>
    ),
  });

const Why = ({ explanation }: { explanation: Explanation }) => (
  <>
    <h2>Why it is where it is</h2>
    <p>
      {explanation.sentence} ({explanation.licence})
    </p>
    {explanation.clauses.length > 0 && (
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Clause</th>
              <th scope="col">Holds</th>
              <th scope="col">Detail</th>
            </tr>
          </thead>
          <tbody>
            {explanation.clauses.map(({ nodeId, clause, holds, detail }) => (
              <tr>
                <td>{nodeId ? <code>{nodeId}</code> : 'farm'}</td>
                <td>{clause}</td>
                <td>{holds ? '✓ yes' : '✕ no'}</td>
                <td>{detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
  </>
);

const Facts = ({ job }: { job: Job }) => (
  <>
    {job.models.length > 0 && (
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Comparison</th>
              <th scope="col">Task</th>
              <th scope="col">Metric</th>
              <th scope="col" class="number">
                Margin
              </th>
              <th scope="col">License</th>
            </tr>
          </thead>
          <tbody>
            {job.models.map((model) => (
              <tr>
                <th scope="row">{model.name}</th>
                <td>{model.comparison}</td>
                <td>{model.task}</td>
                <td>{model.metric ?? '–'}</td>
                <td class="number">{model.margin === null ? '–' : `± ${figure(model.margin)}`}</td>
                <td>{model.license}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
    <dl class="facts">
      <dt>Suite</dt>
      <dd>{job.suite}</dd>
      <dt>Job seed</dt>
      <dd>
        {job.jobSeed === null ? 'follows from the recipe' : <code>{job.jobSeed}</code>}
        {job.seedOverride !== null && ' (given by a person)'}
      </dd>
      <dt>Beacon</dt>
      <dd>{job.beacon === '' ? 'none: the farm signs this archive itself' : <code>{job.beacon}</code>}</dd>
      {job.overlaySha256 && (
        <>
          <dt>Recipe</dt>
          <dd>
            the farm's own overlay <Digest sha256={job.overlaySha256} />
          </dd>
        </>
      )}
      <dt>Asked</dt>
      <dd>
        <Moment at={job.createdAt} />
      </dd>
      <dt>Expected of a run</dt>
      <dd>{job.expected ?? 'unknown: no run of this package was timed'}</dd>
      <dt>Bill</dt>
      <dd>
        <BillWords bill={job.bill} />
      </dd>
      {job.releaseHref && (
        <>
          <dt>Release</dt>
          <dd>
            <a href={job.releaseHref}>part of a release</a>
          </dd>
        </>
      )}
      {job.statements.map((statement) => (
        <RecordRow name={`Statement on ${statement.model} (in-toto)`} record={statement} />
      ))}
      <dt>Evidence</dt>
      <dd>
        <a href={job.evidenceHref}>every file by digest</a>: models, predictions, pictures
      </dd>
      <dt>As JSON</dt>
      <dd>
        <a href={job.href}>{job.href}</a>
      </dd>
    </dl>
  </>
);
