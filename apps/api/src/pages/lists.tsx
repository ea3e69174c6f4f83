/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// Tables that more than one page shows: jobs, runs, nodes.
import { seedLabel } from '@retraind/shared/job/run-place';
import type { Node } from '@retraind/shared/wire/node';
import type { JobSummary, RunSummary } from '@retraind/shared/wire/resources';
import { Moment, Progress, RungBadge, StateBadge } from './words.tsx';

export const JobsTable = ({ jobs }: { jobs: JobSummary[] }) =>
  jobs.length === 0 ? (
    <p class="faint">No jobs yet.</p>
  ) : (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">Package</th>
            <th scope="col">State</th>
            <th scope="col">Runs</th>
            <th scope="col">Verdict</th>
            <th scope="col">Asked</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr>
              <td>
                <a href={job.pageHref}>
                  <code>{job.jobId}</code>
                </a>
              </td>
              <td>
                <a href={`/packages/${encodeURIComponent(job.source)}`}>{job.source}</a> {job.version}{' '}
                <span class="faint">{job.suite}</span>
              </td>
              <td>
                <StateBadge state={job.state} />
                {job.reason && <div class="reason">{job.reason}</div>}
              </td>
              <td>
                {job.runsReported}/{job.runsWanted}
                {job.state === 'retraining' && (
                  <div>
                    <Progress value={job.progress} label={`Progress of job ${job.jobId}`} />
                  </div>
                )}
              </td>
              <td>
                {job.verdicts.slice(0, 4).map((verdict) => (
                  <div title={verdict.model}>
                    <RungBadge rung={verdict.rung} final={verdict.final} />
                  </div>
                ))}
                {job.verdicts.length > 4 && <div class="faint">and {job.verdicts.length - 4} more</div>}
              </td>
              <td>
                <Moment at={job.createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );

export const RunsTable = ({ runs }: { runs: RunSummary[] }) =>
  runs.length === 0 ? (
    <p class="faint">No runs yet.</p>
  ) : (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col" class="number">
              Seed
            </th>
            <th scope="col">For</th>
            <th scope="col">State</th>
            <th scope="col">Step</th>
            <th scope="col">Progress</th>
            <th scope="col">Node</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr>
              <td>
                <a href={run.pageHref}>
                  <code>{run.runId}</code>
                </a>
              </td>
              <td class="number">{seedLabel(run)}</td>
              <td>
                {run.purpose}
                {run.numerics > 0 && `, numerics ${run.numerics}`}
              </td>
              <td>
                <StateBadge state={run.state} />
              </td>
              <td>{run.step ?? '–'}</td>
              <td>
                {run.state === 'leased' ? (
                  <Progress value={run.progress} label={`Progress of run ${run.runId}`} />
                ) : (
                  '–'
                )}
              </td>
              <td>{run.nodeId ? <code>{run.nodeId}</code> : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );

export const NodeBadge = ({ node: { state } }: { node: Pick<Node, 'state'> }) => (
  <span class={`badge state node-${state}`}>{state}</span>
);

/** Said wherever devices are: these are a recording's, not the machine's. */
export const Replayed = ({ from }: { from: string | null }) =>
  from === null ? null : (
    <span class="badge taint" title={`from the recording ${from}`}>
      replayed
    </span>
  );

export const NodesTable = ({ nodes }: { nodes: Node[] }) =>
  nodes.length === 0 ? (
    <p class="faint">No node is enrolled: nothing can run.</p>
  ) : (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Class</th>
            <th scope="col">State</th>
            <th scope="col">Slots</th>
            <th scope="col">Devices</th>
            <th scope="col">Last seen</th>
            <th scope="col">Runs</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr>
              <td>
                <a href={node.pageHref}>{node.name}</a> <code class="faint">{node.nodeId}</code>
              </td>
              <td>{node.class}</td>
              <td>
                <NodeBadge node={node} />
                {node.reason && <div class="reason">{node.reason}</div>}
              </td>
              <td>
                {node.runs.length}/{node.slots}
              </td>
              <td>
                {node.accelerators.map(({ name }) => name).join(', ') || 'CPU'}{' '}
                <Replayed from={node.inventory?.replayedFrom ?? null} />
              </td>
              <td>
                <Moment at={node.seenAt} />
              </td>
              <td>
                {node.runs.map((run) => (
                  <div>
                    <a href={run.pageHref}>{run.source}</a> <span class="faint">{run.step}</span>
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
