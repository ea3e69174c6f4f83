/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// A package, and one version of it.
import type { Job, Package, Version } from '@retraind/shared/wire/resources';
import { renderPage } from './layout.tsx';
import { JobsTable } from './lists.tsx';
import { VerdictSection } from './verdict.tsx';
import { Moment } from './words.tsx';

/** All versions of a package; `verdicts` are of the newest job that has any. */
export const packagePage = ({ source, versions }: Package, judged: Job | null): string =>
  renderPage({
    title: source,
    trail: [{ name: 'Packages', href: '/' }],
    children: (
      <>
        <h1>{source}</h1>
        {judged && <Judged job={judged} />}
        {versions.map((version) => (
          <>
            <h2>
              <a href={version.pageHref}>{version.version}</a> <span class="faint">{version.suite}</span>
            </h2>
            <JobsTable jobs={version.jobs} />
          </>
        ))}
      </>
    ),
  });

export const versionPage = (version: Version, judged: Job | null): string =>
  renderPage({
    title: `${version.source} ${version.version}`,
    trail: [
      { name: 'Packages', href: '/' },
      { name: version.source, href: `/packages/${encodeURIComponent(version.source)}` },
    ],
    children: (
      <>
        <h1>
          {version.source} <span class="version">{version.version}</span>
        </h1>
        <dl class="facts">
          <dt>Suite</dt>
          <dd>{version.suite}</dd>
          <dt>Rules target</dt>
          <dd>
            <code>{version.target ?? 'from an overlay'}</code>
          </dd>
          <dt>Accelerator</dt>
          <dd>{version.accelerator ?? 'nothing said'}</dd>
          <dt>Policy</dt>
          <dd>{version.policy ?? 'nothing said'}</dd>
          <dt>First seen</dt>
          <dd>
            <Moment at={version.foundAt} />
          </dd>
        </dl>
        {judged && <Judged job={judged} />}
        <h2>Jobs</h2>
        <JobsTable jobs={version.jobs} />
      </>
    ),
  });

const Judged = ({ job }: { job: Job }) => (
  <>
    <h2>Verdicts</h2>
    <p class="faint">
      On version {job.version}, by job{' '}
      <a href={job.pageHref}>
        <code>{job.jobId}</code>
      </a>
      .
    </p>
    {job.verdicts.map((verdict) => (
      <VerdictSection verdict={verdict} jobHref={job.href} />
    ))}
  </>
);
