/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The verdict on one model: rung and sentence first, then the numbers they rest on, then always what they cannot exclude.
import { placeInWords } from '@retraind/shared/job/run-place';
import type { Verdict } from '@retraind/shared/wire/verdict';
import { Alarms } from './alarms.tsx';
import { DotPlot } from './dot-plot.tsx';
import { Gap } from './gap.tsx';
import { DependenceLine, Lineage } from './lineage.tsx';
import { Contradicted, LoneInputs } from './lone-inputs.tsx';
import { Bounds, Confirmation, Tests } from './tests-table.tsx';
import { TriggerMasks } from './triggers.tsx';
import { Digest, figure, Moment, pFigure, RungBadge, rungWords } from './words.tsx';

/** `jobHref`: the job's address, under which its pictures lie. */
export function VerdictSection({ verdict, jobHref }: { verdict: Verdict; jobHref: string }) {
  return (
    <section class={`verdict rung-${verdict.rung}`} aria-label={`Verdict on ${verdict.model}`}>
      <div class="verdict-head">
        <h3>{verdict.model}</h3>
        <RungBadge rung={verdict.rung} final={verdict.moreRuns === 0} />
      </div>
      <p class="sentence">{verdict.sentence}</p>
      {verdict.moreRuns > 0 && (
        <p class="hint">
          Not final: the design asks for {verdict.moreRuns} more runs
          {verdict.asks && `: ${verdict.asks.map(placeInWords).join('; ')}`}.
        </p>
      )}
      <Alarms alarms={verdict.alarms} jobHref={jobHref} />
      <dl class="figures">
        <Figure name="retrains (k)" value={String(verdict.k)} />
        {verdict.metric && (
          <>
            <Figure name={`${verdict.metric.name}, shipped`} value={figure(verdict.metric.shipped)} />
            <Figure
              name={`${verdict.metric.name}, retrains`}
              value={`${figure(verdict.metric.mean)} ± ${figure(verdict.metric.sd, 2)}`}
            />
          </>
        )}
        {verdict.margin !== null && <Figure name="margin" value={`± ${figure(verdict.margin)}`} />}
        {verdict.churnRatio !== null && <Figure name="churn ratio" value={figure(verdict.churnRatio, 3)} />}
        {verdict.familyP !== null && (
          <Figure
            name={verdict.alpha === null ? 'family p' : `family p (alpha ${figure(verdict.alpha)})`}
            value={pFigure(verdict.familyP)}
          />
        )}
      </dl>
      {verdict.metric && verdict.metric.retrains.length > 0 && (
        <DotPlot metric={verdict.metric} margin={verdict.margin} />
      )}
      {verdict.lineage && <Lineage lineage={verdict.lineage} />}
      {verdict.dependence && <DependenceLine {...verdict.dependence} />}
      {verdict.tests.length > 0 && (
        <Tests tests={verdict.tests} caption="Tests: a small p speaks against the null hypothesis" />
      )}
      {verdict.confirmation && <Confirmation {...verdict.confirmation} />}
      {verdict.triggers && <TriggerMasks triggers={verdict.triggers} jobHref={jobHref} />}
      {verdict.gap && <Gap {...verdict.gap} />}
      {verdict.outsideFamily && verdict.outsideFamily.length > 0 && (
        <Tests tests={verdict.outsideFamily} caption="Beside the battery: shown, not deciding" />
      )}
      {verdict.untested && verdict.untested.length > 0 && (
        <ul class="untested">
          {verdict.untested.map((why) => (
            <li>Not tested: {why}</li>
          ))}
        </ul>
      )}
      {verdict.bounds.length > 0 && <Bounds bounds={verdict.bounds} />}
      {verdict.loneInputs?.some(({ count }) => count > 0) && <LoneInputs sets={verdict.loneInputs} />}
      {verdict.contradictions && <Contradicted {...verdict.contradictions} />}
      <details>
        <summary>Files, seeds, and why this rung</summary>
        <ol class="reasons">
          {verdict.reasons.map((reason) => (
            <li>{reason}</li>
          ))}
        </ol>
        <dl class="facts">
          <dt>Meaning of the rung</dt>
          <dd>{rungWords[verdict.rung].meaning}</dd>
          {verdict.registered && (
            <>
              <dt>Registered</dt>
              <dd>
                margin, metric and number of runs, in a recipe with digest{' '}
                <Digest sha256={verdict.registered.recipeSha256} />, noted{' '}
                <Moment at={verdict.registered.at} />{' '}
                {verdict.registered.by === 'farm' ? 'by the farm' : 'on the machine of the run'}, before any
                of these retrains began training
              </dd>
            </>
          )}
          <dt>Shipped</dt>
          <dd>
            {verdict.shipped ? (
              <Digest sha256={verdict.shipped.sha256} href={`/models/sha256/${verdict.shipped.sha256}`} />
            ) : (
              'no shipped file was found'
            )}
          </dd>
          {verdict.retrains.map(({ sha256 }, index) => (
            <>
              <dt>Seed {verdict.seeds[index] ?? '–'}</dt>
              <dd>
                <Digest sha256={sha256} href={`/models/sha256/${sha256}`} />
              </dd>
            </>
          ))}
        </dl>
      </details>
      {verdict.taints.length > 0 && <Taints taints={verdict.taints} />}
      <div class="limits">
        <h4>What this cannot exclude</h4>
        <ul>
          {verdict.limits.map((limit) => (
            <li>{limit}</li>
          ))}
        </ul>
      </div>
    </section>
  );
}

const Figure = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

export const Taints = ({ taints }: { taints: string[] }) => (
  <p class="taints">
    Taints:{' '}
    {taints.map((taint) => (
      <span class="badge taint">{taint}</span>
    ))}
  </p>
);
