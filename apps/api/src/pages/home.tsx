/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The first page: what the farm claims of each package, what it does now, and with which machines.
import type { Node } from '@retraind/shared/wire/node';
import type { JobSummary, Version } from '@retraind/shared/wire/resources';
import { renderPage } from './layout.tsx';
import { NodesTable } from './lists.tsx';
import { Progress, RungBadge, StateBadge } from './words.tsx';

export interface HomeProps {
  /** Current versions, by source and suite; each with its jobs, newest first. */
  versions: Version[];
  running: JobSummary[];
  nodes: Node[];
  /** How many of the verdicts are expected to be wrong, in one sentence. */
  falseAlarms: string;
}

export const homePage = ({ versions, running, nodes, falseAlarms }: HomeProps): string =>
  renderPage({
    title: 'Packages',
    children: (
      <>
        <h1>Is the shipped model what its sources produce?</h1>
        <p class="lead">
          This farm retrains the models that packages ship, several times over, from their declared data, and
          says how the shipped file relates to what comes out.
        </p>
        <h2>Packages</h2>
        <PackagesTable versions={versions} />
        <p class="faint">{falseAlarms}</p>
        <h2>Running</h2>
        {running.length === 0 ? (
          <p class="faint">Nothing runs now.</p>
        ) : (
          <ul class="cards">
            {running.map((job) => (
              <li>
                <a href={job.pageHref}>
                  {job.source} {job.version}
                </a>
                <Progress value={job.progress} label={`Progress of ${job.source} ${job.version}`} />
                <span class="faint">
                  {job.runsReported} of {job.runsWanted} runs reported
                </span>
              </li>
            ))}
          </ul>
        )}
        <h2>Nodes</h2>
        <NodesTable nodes={nodes} />
      </>
    ),
  });

const PackagesTable = ({ versions }: { versions: Version[] }) =>
  versions.length === 0 ? (
    <p class="faint">No package with a recipe is known yet: the farm reads its suites' indexes.</p>
  ) : (
    <div class="scroll">
      <table class="packages">
        <thead>
          <tr>
            <th scope="col">Package</th>
            <th scope="col">Model</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>{versions.map(VersionRows)}</tbody>
      </table>
    </div>
  );

const VersionRows = (version: Version) => {
  const job = version.jobs[0];
  const name = (
    <th scope="row">
      <a href={version.pageHref}>{version.source}</a> <span class="version">{version.version}</span>{' '}
      <span class="faint">{version.suite}</span>
    </th>
  );
  if (!job || job.verdicts.length === 0) {
    return (
      <tr>
        {name}
        <td>–</td>
        <td>
          {job ? <StateBadge state={job.state} /> : <span class="faint">no job</span>}
          {job?.reason && <div class="reason">{job.reason}</div>}
        </td>
      </tr>
    );
  }
  return (
    <>
      {job.verdicts.map((verdict, index) => (
        <tr>
          {index === 0 ? name : <th aria-label={version.source} />}
          <td>
            <a href={job.pageHref}>{verdict.model}</a>
          </td>
          <td>
            <RungBadge rung={verdict.rung} final={verdict.final} />
            <div class="reason">{verdict.sentence}</div>
          </td>
        </tr>
      ))}
    </>
  );
};
