/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// A run: one seed on one slot. What came out, by digest; its curve; its log.
import { placeInWords, seedLabel } from '@retraind/shared/job/run-place';
import type { ModelFile, Run } from '@retraind/shared/wire/resources';
import { BillWords } from './bill.tsx';
import { renderPage } from './layout.tsx';
import { LossCurves } from './loss-curves.tsx';
import type { Series } from './metrics-lines.ts';
import { Taints } from './verdict.tsx';
import {
  bytesFigure,
  Digest,
  durationFigure,
  figure,
  Moment,
  Progress,
  RecordRow,
  StateBadge,
} from './words.tsx';

export interface RunPageProps {
  run: Run;
  series: Series | null;
  log: {
    /** The end of the log. */
    tail: string;
    /** Bytes before the tail. */
    skippedBytes: number;
    /** Where the live log goes on, `epoch:offset`; null where it has ended. */
    resumeAt: string | null;
  };
}

export const runPage = ({ run, series, log }: RunPageProps): string =>
  renderPage({
    title: `Run ${run.runId} of ${run.source} ${run.version}`,
    trail: [
      { name: 'Packages', href: '/' },
      { name: run.source, href: `/packages/${encodeURIComponent(run.source)}` },
      { name: `job ${run.jobId}`, href: `/jobs/${run.jobId}` },
    ],
    script: log.resumeAt === null ? undefined : 'live-log.js',
    children: (
      <>
        <h1>
          Run <code>{run.runId}</code>
        </h1>
        <p>
          <StateBadge state={run.state} /> {run.step && `step ${run.step}`}{' '}
          {run.state === 'leased' && <Progress value={run.progress} label="Progress of the run" />}
        </p>
        {run.breakage && (
          <div class="alarm" role="note">
            <strong>Blame: {run.breakage.blame}</strong> {run.breakage.step && `in step ${run.breakage.step}`}
            {' · '}
            <a href={`/problems/${run.breakage.code}`}>{run.breakage.code}</a>
            <p>{run.breakage.detail}</p>
            {run.breakage.hint && <p class="hint">{run.breakage.hint}</p>}
          </div>
        )}
        <Facts run={run} />
        {run.taints.length > 0 && <Taints taints={run.taints} />}
        {run.outputs.length > 0 && (
          <Files caption="What the run made" files={run.outputs} weights="weights" />
        )}
        {run.references.length > 0 && (
          <Files caption="What it is held against (shipped)" files={run.references} weights="weights" />
        )}
        <h2>Training</h2>
        <LossCurves curves={series ? [{ runId: run.runId, label: `seed ${seedLabel(run)}`, series }] : []} />
        <h2>Log</h2>
        <p>
          <a href={run.logHref}>whole log</a> · <a href={run.metricsHref}>metrics lines</a>
          {log.skippedBytes > 0 && (
            <span class="faint"> · the first {bytesFigure(log.skippedBytes)} are not shown</span>
          )}
        </p>
        <section
          class="log"
          aria-label="Log of the run"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by keyboard (WCAG 2.1.1)
          tabIndex={0}
        >
          <pre
            id="log"
            data-follow={log.resumeAt === null ? undefined : run.logHref}
            data-resume={log.resumeAt ?? undefined}
          >
            {log.tail}
          </pre>
          {log.tail === '' && <p class="faint">Nothing yet.</p>}
        </section>
        <Leases run={run} />
      </>
    ),
  });

const Facts = ({ run }: { run: Run }) => (
  <dl class="facts">
    <dt>Package</dt>
    <dd>
      {run.source} {run.version}
    </dd>
    <dt>Seed</dt>
    <dd>
      {run.seed === null ? 'not told yet' : <code>{run.seed}</code>}{' '}
      <span class="faint">{placeInWords(run)}</span>
    </dd>
    <dt>Node</dt>
    <dd>{run.nodeId ? <code>{run.nodeId}</code> : '–'}</dd>
    {run.engine && (
      <>
        <dt>Engine</dt>
        <dd>{run.engine}</dd>
      </>
    )}
    {run.trainSeconds !== null && (
      <>
        <dt>Training took</dt>
        <dd>{durationFigure(run.trainSeconds)}</dd>
      </>
    )}
    <dt>Bill</dt>
    <dd>
      <BillWords bill={run.bill} />
    </dd>
    <RecordRow name=".retraininfo" record={run.retraininfo} />
    <RecordRow name="Provenance (in-toto)" record={run.provenance} />
    <dt>As JSON</dt>
    <dd>
      <a href={run.href}>{run.href}</a>
    </dd>
  </dl>
);

const Files = ({ caption, files, weights }: { caption: string; files: ModelFile[]; weights: string }) => (
  <div class="scroll">
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">sha256</th>
          <th scope="col" class="number">
            Size
          </th>
          <th scope="col" class="number">
            Metric
          </th>
          <th scope="col">File</th>
        </tr>
      </thead>
      <tbody>
        {files.map((file) => (
          <tr>
            <th scope="row">{file.model}</th>
            <td>
              <Digest sha256={file.sha256} href={`/models/sha256/${file.sha256}`} />
              {file.faults.map((fault) => (
                <div class="reason">{fault}</div>
              ))}
            </td>
            <td class="number">{bytesFigure(file.bytes)}</td>
            <td class="number">{file.metric ? `${file.metric.name} ${figure(file.metric.value)}` : '–'}</td>
            <td>
              <a href={file.weightsHref}>{weights}</a>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const Leases = ({ run }: { run: Run }) =>
  run.leases.length === 0 ? null : (
    <>
      <h2>Leases</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                Epoch
              </th>
              <th scope="col">Node, slot</th>
              <th scope="col">Class, devices that it may have</th>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {run.leases.map((lease) => (
              <tr>
                <td class="number">{lease.leaseEpoch}</td>
                <td>
                  <code>{lease.nodeId}</code>, {lease.slot}
                </td>
                <td>
                  {lease.class ?? 'not told yet'}
                  {lease.deviceIds.map((deviceId) => (
                    <div>
                      <code class="faint">{deviceId}</code>
                    </div>
                  ))}
                </td>
                <td>
                  <Moment at={lease.startedAt} />
                </td>
                <td>
                  <Moment at={lease.endedAt} />
                </td>
                <td>
                  {lease.outcome ?? 'open'}
                  {lease.left && `${lease.left.code}: ${lease.left.detail}`}
                  {lease.breakage && (
                    <div class="reason">
                      {lease.breakage.blame}: {lease.breakage.detail}
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
