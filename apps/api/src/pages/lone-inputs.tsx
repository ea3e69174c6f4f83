/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// Rows that a person can look at: inputs on which the shipped model stands alone, and training labels that it contradicts.
import { type EvidenceSet, setNames } from '@retraind/shared/verdict/evidence';
import type { Verdict } from '@retraind/shared/wire/verdict';
import { pFigure } from './words.tsx';

/** Which record a row is, for whoever wants to see it (verdict/probes makes them). */
const rowMeanings: Record<EvidenceSet, string> = {
  test: 'row of the recipe’s held-out inputs, in their order',
  train: 'row of the declared training inputs, or of the 10,000 that the job seed draws from more',
  noise: 'the first half uniform, the second half normal noise',
  patch:
    'for images and long records 98 rows for each held-out record drawn: place ⌊(row mod 98) / 2⌋ of 7 × 7 line by line, white where the row is even, chequered where it is odd',
  mix: 'midpoint of two held-out records',
};

export const LoneInputs = ({ sets }: { sets: NonNullable<Verdict['loneInputs']> }) => (
  <>
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
    <details>
      <summary>Which inputs these rows are</summary>
      <dl class="facts">
        {sets.map(({ set }) => (
          <>
            <dt>{setNames[set]}</dt>
            <dd>{rowMeanings[set]}</dd>
          </>
        ))}
      </dl>
      <p class="faint">Rows count from 0. Probes follow from the job seed and can be made again.</p>
    </details>
  </>
);

export const Contradicted = ({
  rows,
  count,
  mostOfRetrain,
  p,
  listed,
}: NonNullable<Verdict['contradictions']>) => (
  <p>
    Against declared labels: on {count} of {rows} training records every retrain is sure of the declared label
    and the shipped model says another (no retrain does so on more than {mostOfRetrain}
    {p !== null && `; p = ${pFigure(p)}`}).{' '}
    {listed.length > 0 &&
      `First rows (class, declared): ${listed.map(({ row, shipped, declared }) => `${row} (${shipped}, ${declared})`).join(', ')}.`}
  </p>
);
