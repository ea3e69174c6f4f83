/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The verdict on one model: rung and sentence first, then the numbers they rest on, then always what they cannot exclude.
import { setNames } from '@retraind/shared/verdict/evidence';
import { cellWords } from '@retraind/shared/verdict/sentence';
import type { Verdict } from '@retraind/shared/wire/verdict';
import { DotPlot } from './dot-plot.tsx';
import { Digest, figure, pFigure, RungBadge, rungWords } from './words.tsx';

export function VerdictSection({ verdict }: { verdict: Verdict }) {
  return (
    <section class={`verdict rung-${verdict.rung}`} aria-label={`Verdict on ${verdict.model}`}>
      <div class="verdict-head">
        <h3>{verdict.model}</h3>
        <RungBadge rung={verdict.rung} final={verdict.moreRuns === 0} />
      </div>
      <p class="sentence">{verdict.sentence}</p>
      {verdict.moreRuns > 0 && (
        <p class="hint">Not final: the design asks for {verdict.moreRuns} more runs.</p>
      )}
      {verdict.alarms.map(({ name, detail }) => (
        <p class="alarm" role="note">
          <strong>{name}</strong> {detail}
        </p>
      ))}
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
      {verdict.tests.length > 0 && (
        <Tests tests={verdict.tests} caption="Tests: a small p speaks against the null hypothesis" />
      )}
      {verdict.outsideFamily && verdict.outsideFamily.length > 0 && (
        <Tests tests={verdict.outsideFamily} caption="Beside the family: shown, not deciding" />
      )}
      {verdict.bounds.length > 0 && <Bounds bounds={verdict.bounds} />}
      {verdict.loneInputs?.some(({ count }) => count > 0) && <LoneInputs sets={verdict.loneInputs} />}
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

const Tests = ({ tests, caption }: { tests: Verdict['tests']; caption: string }) => (
  <div class="scroll">
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Test</th>
          <th scope="col">Null hypothesis</th>
          <th scope="col" class="number">
            t
          </th>
          <th scope="col" class="number">
            df
          </th>
          <th scope="col" class="number">
            p
          </th>
          <th scope="col" class="number">
            rank p
          </th>
        </tr>
      </thead>
      <tbody>
        {tests.map((test) => (
          <tr>
            <th scope="row">
              {test.name}
              {cellWords(test, ', most in ')}
            </th>
            <td>{test.nullHypothesis}</td>
            <td class="number">{figure(test.statistic, 3)}</td>
            <td class="number">{figure(test.degreesOfFreedom, 3)}</td>
            <td class="number">{pFigure(test.p)}</td>
            <td class="number">{test.rankP.toFixed(3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const LoneInputs = ({ sets }: { sets: NonNullable<Verdict['loneInputs']> }) => (
  <div class="scroll">
    <table>
      <caption>
        Inputs on which the shipped model stands alone: every retrain is sure of another class
      </caption>
      <thead>
        <tr>
          <th scope="col">On</th>
          <th scope="col" class="number">
            inputs
          </th>
          <th scope="col" class="number">
            alone
          </th>
          <th scope="col" class="number">
            most of a retrain
          </th>
          <th scope="col">it says most</th>
          <th scope="col">First rows (class, retrains’ class)</th>
        </tr>
      </thead>
      <tbody>
        {sets.map(({ set, rows, count, mostOfRetrain, mostSaid, listed }) => (
          <tr>
            <th scope="row">{setNames[set]}</th>
            <td class="number">{rows}</td>
            <td class="number">{count}</td>
            <td class="number">{mostOfRetrain}</td>
            <td>{mostSaid ? `class ${mostSaid.class} (${mostSaid.count})` : ''}</td>
            <td>
              {listed.map(({ row, shipped, retrains }) => `${row} (${shipped}, ${retrains})`).join(', ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const Bounds = ({ bounds }: { bounds: Verdict['bounds'] }) => (
  <div class="scroll">
    <table>
      <caption>Bounds that equivalence needs</caption>
      <thead>
        <tr>
          <th scope="col">Bound</th>
          <th scope="col" class="number">
            upper
          </th>
          <th scope="col" class="number">
            limit
          </th>
          <th scope="col">holds</th>
        </tr>
      </thead>
      <tbody>
        {bounds.map((bound) => (
          <tr>
            <th scope="row">{bound.name}</th>
            <td class="number">{figure(bound.upper)}</td>
            <td class="number">{figure(bound.limit)}</td>
            <td>{bound.holds ? '✓ yes' : '✕ no'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
