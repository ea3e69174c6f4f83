// What reruns of the declared seed and the dependence run say of a verdict, as lines of plain text.
import { placeInWords } from '../job/run-place.ts';
import { type Lineage, type ModelVerdict, setNames } from './evidence.ts';

const tensorsPrinted = 5;

/** One line each: the runs that are asked for, the five distances, the tensors that stand out most, the dependence run. */
export const declaredRunLines = ({ lineage, dependence, asks = [] }: ModelVerdict): string[] => [
  ...asks.map((place) => `Wanted: a run with ${placeInWords(place)}.`),
  ...(lineage ? lineageLines(lineage) : []),
  ...(dependence ? [`Dependence on the data: ${dependence.outcome}: ${dependence.why}.`] : []),
];

const lineageLines = ({
  seed,
  reruns,
  outcome,
  why,
  cosine,
  baseDistance,
  axes,
  tensors,
}: Lineage): string[] => {
  const of = reruns.map(({ numerics }) => numerics).join(', ');
  const lines = [`Lineage of seed ${seed}, run with numerics ${of}: ${outcome}: ${why}.`];
  if (cosine !== null && baseDistance !== null) {
    lines.push(
      `Lineage: cosine of the weights ${cosine.toFixed(4)}; the reruns end ${baseDistance.toPrecision(3)} apart, relative to their weights.`,
    );
  }
  for (const { axis, shipped, among, rho } of axes) {
    const name = axis === 'weights' || axis === 'worst tensor' ? axis : setNames[axis];
    lines.push(`Lineage: ${name}: ${figures(shipped, among, rho)}.`);
  }
  for (const { name, shape, shipped, among, rho } of tensors.slice(0, tensorsPrinted)) {
    const size = shape.length === 0 ? 'scalar' : shape.join(' × ');
    lines.push(`Lineage: tensor ${name} (${size}): ${figures(shipped, among, rho)}.`);
  }
  return lines;
};

const figures = (shipped: number, among: number, rho: number): string =>
  `${shipped.toPrecision(3)} to the reruns, ${among.toPrecision(3)} among them, ratio ${rho.toFixed(2)}`;
