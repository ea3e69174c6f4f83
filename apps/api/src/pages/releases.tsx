/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// Releases: all per-release recipes of a suite as one undertaking, planned beside spent.
import { shortHours } from '@retraind/shared/policy/approval';
import type { Release, ReleaseSummary } from '@retraind/shared/wire/campaigns';
import { BillWords } from './bill.tsx';
import { renderPage } from './layout.tsx';
import { JobsTable } from './lists.tsx';
import { Moment } from './words.tsx';

export const releasesPage = (releases: ReleaseSummary[]): string =>
  renderPage({
    title: 'Releases',
    children: (
      <>
        <h1>Releases</h1>
        {releases.length === 0 ? (
          <p class="faint">No release was started yet.</p>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Release</th>
                  <th scope="col">Suite</th>
                  <th scope="col">State</th>
                  <th scope="col">Started</th>
                </tr>
              </thead>
              <tbody>
                {releases.map((one) => (
                  <tr>
                    <td>
                      <a href={one.pageHref}>
                        <code>{one.releaseId}</code>
                      </a>
                    </td>
                    <td>{one.suite}</td>
                    <td>
                      <span class="badge state">{one.state}</span>
                      <div class="reason">{one.reason}</div>
                    </td>
                    <td>
                      <Moment at={one.startedAt} /> by {one.startedBy}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </>
    ),
  });

type Span = Release['plan']['sums']['gpuHours'];
const span = ({ least, expected, most }: Span): string =>
  most === 0 ? '0' : `${shortHours(expected)} (${shortHours(least)} to ${shortHours(most)})`;

const counted = (counts: readonly { count: number; name: string }[]): string =>
  counts.map(({ count, name }) => `${count} ${name}`).join(', ') || 'none';

const Facts = ({ release }: { release: Release }) => {
  const { plan, spent, jobCounts, verdictCounts } = release;
  const { sums } = plan;
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <span class="badge state">{release.state}</span> {release.reason}
      </dd>
      <dt>Started</dt>
      <dd>
        <Moment at={release.startedAt} /> by {release.startedBy}
      </dd>
      <dt>Jobs</dt>
      <dd>{counted(jobCounts.map(({ state, count }) => ({ count, name: state })))}</dd>
      <dt>Verdicts</dt>
      <dd>{counted(verdictCounts.map(({ rung, count }) => ({ count, name: rung })))}</dd>
      <dt>Spent</dt>
      <dd>
        <BillWords bill={spent} />
      </dd>
      <dt>Estimated</dt>
      <dd>
        {span(sums.runs)} runs, {span(sums.gpuHours)} GPU-hours, {span(sums.cpuHours)} CPU-hours,{' '}
        {span(sums.kilowattHours)} kWh
        {sums.untimed > 0 && `; without ${sums.untimed} package(s) that nobody has timed`}
      </dd>
      <dt>As JSON</dt>
      <dd>
        <a href={release.href}>{release.href}</a>
      </dd>
    </dl>
  );
};

export const releasePage = (release: Release): string =>
  renderPage({
    title: `Release of ${release.suite}`,
    trail: [{ name: 'Releases', href: '/releases' }],
    children: (
      <>
        <h1>Release of {release.suite}</h1>
        <Facts release={release} />
        <h2>Jobs</h2>
        <JobsTable jobs={release.jobs} />
        <h2>Refused</h2>
        {release.plan.refusals.length === 0 ? (
          <p class="faint">No package was refused.</p>
        ) : (
          <ul>
            {release.plan.refusals.map(({ source, version, reason }) => (
              <li>
                <a href={`/packages/${encodeURIComponent(source)}`}>{source}</a> {version}: {reason}
              </li>
            ))}
          </ul>
        )}
      </>
    ),
  });
