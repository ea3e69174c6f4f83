// The lineage rung: does the shipped file lie among reruns of its own declared seed? Reruns under other arithmetic (threads, order of
// sums, library) end apart, by how much is measured; a shipped file of the same run lies no farther from them than they do from
// each other, an edited one does. Distances: relative L2 of all weights, of each tensor, and the task's own distance on test, noise
// and patch: a fine-tune hides inside the ball of the weights, and a moved bias outside the outputs.
//
//   rho = mean_i d(S,Qi) / mean_{i≠j} d(Qi,Qj)      max rho ≤ 2: the same run      > 3: edited      between: not decided
//
// Source: docs/explanation/verdicts.md. Measured with 4 reruns: honest at most 1.71 (16 cases), edited above 3 in 44 of 45.
import type { RecipeModel } from '../recipe/recipe.ts';
import { type Distances, type Lineage, requiredSets, setNames } from './evidence.ts';
import { distanceFor } from './hellinger.ts';
import type { JudgedFile, JudgedRun } from './judged.ts';
import { evaluationObstacle } from './obstacle.ts';
import { pairAt, type WeightComparison, type WeightDistances } from './weight-distances.ts';

/** At or below it on every axis: the same run. Honest files reached 1.71, edited ones went down to 2.45. */
export const sameRunRho = 2;
/** Above it on any axis, near as the weights are: edited. */
export const editedRho = 3;
/** Above it four reruns settle that a file was edited: of 32 honest ones held against three or four, the farthest reached 3.5. */
const settledRho = 2 * editedRho;
/** Where reruns end farther apart, relative to the weights, training has forgotten its seed: independent seeds lie at 1.41. */
const voidBase = 0.5;
const sameRunCosine = 0.8;
/** Independent seeds lie at 0.00–0.02. */
const kinCosine = 0.5;
/** Reruns that differ from each other, below which nothing is said. */
const fewestReruns = 3;
const tensorsShown = 50;
/** What rounding to float32 may do to a relative distance of weights, and to a squared distance of outputs. */
const weightRounding = 1e-6;
const outputRounding = 1e-12;

/** Whether weights so far apart leave anything to the other reruns to tell. */
export const isNear = (cosine: number): boolean => cosine > kinCosine;

/**
 * Whether a few more reruns may change what is said: the distance among four of a tensor of 10 values is so uncertain that an honest
 * file may stand between the limits, or beyond them.
 */
export const isUnsettled = ({ outcome, maxRho }: Pick<Lineage, 'outcome' | 'maxRho'>): boolean =>
  outcome === 'between' || (outcome === 'edited' && maxRho! <= settledRho);

/**
 * Weighs the shipped file against reruns of one declared seed, in any order. `weights` holds the weights of all of them. Reruns with the
 * same weights count once: arithmetic that changes nothing is no measure of what arithmetic changes.
 */
export const lineageOf = (
  model: RecipeModel,
  reference: JudgedFile,
  runs: readonly JudgedRun[],
  weights: WeightComparison | undefined,
): Lineage => {
  const reruns = [...runs].sort((a, b) => (a.numerics ?? 0) - (b.numerics ?? 0));
  const nothing: Omit<Lineage, 'outcome' | 'why'> = {
    seed: model.seed!,
    reruns: reruns.map(({ numerics, evidence }) => ({
      numerics: numerics ?? 0,
      sha256: evidence.file.sha256,
    })),
    axes: [],
    maxRho: null,
    baseDistance: null,
    cosine: null,
    tensors: [],
    tensorCount: 0,
  };
  const cannot = (why: string, known: Partial<Lineage> = {}): Lineage => ({
    ...nothing,
    ...known,
    outcome: 'void',
    why,
  });

  const obstacle = evaluationObstacle(model, reference, reruns);
  if (obstacle !== null) return cannot(obstacle);
  if (!weights) return cannot('the weights were not kept');
  if ('why' in weights) return cannot(`the weights cannot be compared: ${weights.why}`);
  const shippedAt = weights.files.indexOf(reference.evidence.weights?.sha256 ?? '');
  const places = reruns.map(({ evidence }) => weights.files.indexOf(evidence.weights?.sha256 ?? ''));
  if (shippedAt < 0 || places.includes(-1)) return cannot('the weights of a rerun were not kept');
  const distinct = reruns.filter((_, i) => places.indexOf(places[i]!) === i);
  const at = [...new Set(places)];
  const cosine = mean(at.map((q) => cosineOf(weights, shippedAt, q)));
  if (!Number.isFinite(cosine)) return cannot('the weights are not all finite numbers, or all zero');
  const known = { cosine, tensorCount: weights.tensors.length };
  if (!isNear(cosine)) {
    const why = `the shipped weights point elsewhere than the rerun's (cosine ${cosine.toFixed(2)}, needed above ${kinCosine})`;
    return { ...nothing, ...known, outcome: 'elsewhere', why };
  }
  if (distinct.length < fewestReruns) {
    const why =
      distinct.length === 1 && reruns.length > 1
        ? 'reruns under other arithmetic agree bit by bit, so that nothing is known of what arithmetic alone changes'
        : `${distinct.length} of the ${fewestReruns} reruns that differ are there`;
    return cannot(why, known);
  }

  const far = (tensors: readonly number[]) => (i: number, j: number) =>
    tensorsDistance(weights, tensors, at[j]!, i === shippedPlace ? shippedAt : at[i]!);
  const tensors = weights.tensors
    .map(({ name, shape }, t) => ({ name, shape, ...spread(at.length, weightRounding, far([t])) }))
    .sort((a, b) => b.rho - a.rho || (a.name < b.name ? -1 : 1));
  const { name: _, shape: __, ...worst } = tensors[0]!;
  const whole = spread(at.length, weightRounding, far(weights.tensors.map((_, t) => t)));
  const outputs = distanceFor(model.task)!;
  const axes: Lineage['axes'] = [
    { axis: 'weights', ...whole },
    { axis: 'worst tensor', ...worst },
    ...requiredSets.map((axis) => ({
      axis,
      ...spread(at.length, outputRounding, (i, j) => {
        const [a, b] = [i === shippedPlace ? reference : distinct[i]!, distinct[j]!];
        const { columns } = reference.evidence.sets[axis]!;
        return outputs.of(a.predictions[axis]!, b.predictions[axis]!, columns);
      }),
    })),
  ];
  const measured = {
    ...nothing,
    ...known,
    axes,
    maxRho: Math.max(...axes.map(({ rho }) => rho)),
    baseDistance: whole.among,
    tensors: tensors.slice(0, tensorsShown),
  };
  return { ...measured, ...decideLineage(measured, tensors[0]!.name) };
};

/**
 * The rule, on figures that are all there. `worstTensor` is named where it is the tensor that stands out.
 */
export const decideLineage = (
  { axes, baseDistance, cosine }: Pick<Lineage, 'axes' | 'baseDistance' | 'cosine'>,
  worstTensor = '',
): Pick<Lineage, 'outcome' | 'why'> => {
  if (baseDistance! >= voidBase) {
    const apart = `reruns of one seed end ${baseDistance!.toFixed(2)} apart in their weights`;
    return { outcome: 'void', why: `${apart} (below ${voidBase} is needed): training forgets its seed` };
  }
  const { axis, rho } = axes.reduce((a, b) => (b.rho > a.rho ? b : a));
  const on =
    axis === 'weights' ? 'all weights' : axis === 'worst tensor' ? `tensor “${worstTensor}”` : setNames[axis];
  const times = `${rho.toFixed(2)} times as far from the declared seed's reruns as they lie from each other`;
  if (rho > editedRho)
    return { outcome: 'edited', why: `by ${on} it lies ${times} (cosine ${cosine!.toFixed(3)})` };
  if (rho > sameRunRho) {
    return {
      outcome: 'between',
      why: `by ${on} it lies ${times}: above ${sameRunRho}, but not above ${editedRho}`,
    };
  }
  if (cosine! <= sameRunCosine) {
    return {
      outcome: 'between',
      why: `the cosine of the weights is ${cosine!.toFixed(2)}, not above ${sameRunCosine}`,
    };
  }
  return { outcome: 'same-run', why: `on no axis it lies more than ${times}` };
};

const shippedPlace = -1;

/** Mean distance of the shipped file (place -1) to m reruns, and of these among themselves. */
const spread = (m: number, rounding: number, distance: (i: number, j: number) => number): Distances => {
  const places = Array.from({ length: m }, (_, i) => i);
  const shipped = mean(places.map((j) => distance(shippedPlace, j)));
  const among = mean(places.flatMap((i) => places.slice(0, i).map((j) => distance(i, j))));
  return { shipped, among, rho: shipped / Math.max(among, rounding) };
};

/** Relative L2 distance over some tensors: |A - B| over the root mean square of |A| and |B|; 0 where both are zero. */
const tensorsDistance = (
  { files, tensors }: WeightDistances,
  some: readonly number[],
  i: number,
  j: number,
): number => {
  if (i === j) return 0;
  let squared = 0;
  let norms = 0;
  for (const t of some) {
    const tensor = tensors[t]!;
    squared += tensor.squared[pairAt(i, j, files.length)]!;
    norms += (tensor.norms[i]! + tensor.norms[j]!) / 2;
  }
  return norms === 0 ? 0 : Math.sqrt(squared / norms);
};

/** Cosine of the angle between all weights of two files; NaN where one is all zero or not finite. */
const cosineOf = ({ files, tensors }: WeightDistances, i: number, j: number): number => {
  let dot = 0;
  let [left, right] = [0, 0];
  for (const { squared, norms } of tensors) {
    const gap = i === j ? 0 : squared[pairAt(i, j, files.length)]!;
    dot += (norms[i]! + norms[j]! - gap) / 2;
    left += norms[i]!;
    right += norms[j]!;
  }
  return dot / Math.sqrt(left * right);
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
