/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// What reruns of the declared seed say: how far the shipped file lies from them on five axes, in units of what arithmetic alone changes;
// and whether the training data matters to what a run makes.
import { editedRho, sameRunRho } from '@retraind/shared/verdict/lineage';
import type { Verdict } from '@retraind/shared/wire/verdict';
import { pixel, scale } from './scale.ts';
import { Digest, figure } from './words.tsx';

type LineageShown = NonNullable<Verdict['lineage']>;
type Dependence = NonNullable<Verdict['dependence']>;

const size = { width: 800, left: 110, right: 60, top: 6, row: 24, foot: 26 };
/** Of rho, where nothing lies farther out; rho 0 has no logarithm. */
const least = 0.5;
const most = 10;

export const Lineage = ({ lineage }: { lineage: LineageShown }) => (
  <>
    <p>
      Declared seed {lineage.seed}, run {lineage.reruns.length} times here: {lineage.why}.
    </p>
    {lineage.axes.length > 0 && <RhoPlot axes={lineage.axes} />}
    <details>
      <summary>Reruns, weights, and the tensors that moved most</summary>
      <dl class="facts">
        {lineage.cosine !== null && (
          <>
            <dt>Cosine of weights</dt>
            <dd>{figure(lineage.cosine)} to the reruns in the mean; independent seeds lie near 0</dd>
          </>
        )}
        {lineage.baseDistance !== null && (
          <>
            <dt>Among reruns</dt>
            <dd>{figure(lineage.baseDistance)}: relative L2 distance of all weights in the mean</dd>
          </>
        )}
        {lineage.reruns.map(({ numerics, sha256 }) => (
          <>
            <dt>RETRAIN_NUMERICS {numerics}</dt>
            <dd>
              <Digest sha256={sha256} href={`/models/sha256/${sha256}`} />
            </dd>
          </>
        ))}
      </dl>
      {lineage.tensors.length > 0 && <Tensors tensors={lineage.tensors} count={lineage.tensorCount} />}
    </details>
  </>
);

function RhoPlot({ axes }: { axes: LineageShown['axes'] }) {
  const low = Math.log10(least);
  const high = Math.log10(Math.max(most, ...axes.map(({ rho }) => rho)));
  const place = scale(low, high, size.left, size.width - size.right);
  const x = (rho: number): number => place(Math.log10(Math.max(least, rho)));
  const bottom = size.top + size.row * axes.length;
  const decades = Array.from({ length: Math.floor(high) + 1 }, (_, power) => 10 ** power);
  const marks = [...new Set([sameRunRho, editedRho, ...decades])];
  return (
    <figure class="chart lineage">
      <svg
        viewBox={`0 0 ${size.width} ${bottom + size.foot}`}
        role="img"
        aria-label={`Distance of the shipped file to the reruns over that among them: ${axes.map(({ axis, rho }) => `${axis} ${figure(rho, 3)}`).join(', ')}; limits ${sameRunRho} and ${editedRho}`}
      >
        <rect
          class="margin"
          x={pixel(x(sameRunRho))}
          y={size.top}
          width={pixel(x(editedRho) - x(sameRunRho))}
          height={bottom - size.top}
        />
        {axes.map(({ axis, rho }, index) => {
          const y = size.top + size.row * (index + 0.5);
          return (
            <g>
              <text class="label" x={size.left - 10} y={y + 4} text-anchor="end">
                {axis}
              </text>
              <line class="axis" x1={size.left} x2={size.width - size.right} y1={y} y2={y} />
              <path class="shipped" d={`M${pixel(x(rho))} ${y - 8} l7 8 l-7 8 l-7 -8 z`} />
              <text class="label" x={pixel(x(rho) + 12)} y={y - 3}>
                {figure(rho, 3)}
              </text>
            </g>
          );
        })}
        {marks.map((mark) => (
          <g class="tick">
            <line x1={pixel(x(mark))} x2={pixel(x(mark))} y1={bottom} y2={bottom + 5} />
            <text x={pixel(x(mark))} y={bottom + 19} text-anchor="middle">
              {mark}
            </text>
          </g>
        ))}
      </svg>
      <figcaption>
        How many times as far the shipped file lies from the reruns as they lie from each other (ρ,
        logarithmic). All at most {sameRunRho}: the same run. Any above {editedRho}: changed in or after that
        run. Between, in the band: not decided by this.
      </figcaption>
    </figure>
  );
}

const Tensors = ({ tensors, count }: { tensors: LineageShown['tensors']; count: number }) => (
  <div class="scroll">
    <table>
      <caption>
        {tensors.length < count ? `The ${tensors.length} of ${count} tensors` : `All ${count} tensors`}, the
        farthest moved first
      </caption>
      <thead>
        <tr>
          <th scope="col">Tensor</th>
          <th scope="col">Shape</th>
          <th scope="col" class="number">
            to the reruns
          </th>
          <th scope="col" class="number">
            among them
          </th>
          <th scope="col" class="number">
            ρ
          </th>
        </tr>
      </thead>
      <tbody>
        {tensors.map(({ name, shape, shipped, among, rho }) => (
          <tr>
            <th scope="row">{name}</th>
            <td>{shape.join(' × ') || 'scalar'}</td>
            <td class="number">{figure(shipped, 3)}</td>
            <td class="number">{figure(among, 3)}</td>
            <td class="number">{figure(rho, 3)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const dependenceWords: Record<Dependence['outcome'], string> = {
  depends: 'The data matter',
  independent: 'The data do not matter',
  unchecked: 'Whether the data matter was not checked',
};

export const DependenceLine = ({ outcome, why, withheld }: Dependence) => (
  <p>
    {dependenceWords[outcome]}: {why}.
    {withheld.map(({ dataset, path, records, withheld: left }) => (
      <span class="faint">
        {' '}
        {dataset}/{path}: {left} of {records} records withheld.
      </span>
    ))}
  </p>
);
