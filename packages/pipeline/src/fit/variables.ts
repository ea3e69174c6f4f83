// Everything that a step moves: weights, averages and counters of the net, and what the optimizer keeps for itself. tfjs's
// own Optimizer.setWeights computes Adam's powers of beta anew, by pow: other bits than by repeated products. So every
// tf.Variable that the optimizer holds is taken as it is.
import * as tf from '@tensorflow/tfjs-core';

/** Values of a variable at home. */
export interface Saved {
  name: string;
  dtype: 'float32' | 'int32';
  shape: number[];
  values: Float32Array | Int32Array;
}

/** Per variable of an optimizer; it makes them at its first step. */
interface Slot {
  originalName: string;
  variable: tf.Variable;
}

const isSlot = (value: unknown): value is Slot => (value as Slot | null)?.variable instanceof tf.Variable;

interface Held {
  name: string;
  variable: tf.Variable;
}

/** Every variable that the optimizer holds: `accBeta1`, `accumulatedFirstMoment/0/dense_1/kernel/m` … */
function heldBy(optimizer: tf.Optimizer): Held[] {
  return Object.entries(optimizer).flatMap(([key, value]): Held[] => {
    if (value instanceof tf.Variable) return [{ name: key, variable: value }];
    if (!Array.isArray(value)) return [];
    return value.flatMap((slot, index) =>
      isSlot(slot) ? [{ name: `${key}/${index}/${slot.originalName}`, variable: slot.variable }] : [],
    );
  });
}

async function saved(name: string, variable: tf.Variable): Promise<Saved> {
  const dtype = variable.dtype as Saved['dtype'];
  // A copy: on some engines data() is a view of the memory that the next step writes.
  return { name, dtype, shape: variable.shape, values: ((await variable.data()) as Float32Array).slice() };
}

export const savedNet = (variables: readonly tf.Variable[]): Promise<Saved[]> =>
  Promise.all(variables.map((variable, index) => saved(`${index}/${variable.name}`, variable)));

export const savedOptimizer = (optimizer: tf.Optimizer): Promise<Saved[]> =>
  Promise.all(heldBy(optimizer).map(({ name, variable }) => saved(name, variable)));

/** Gives a variable its values. They come from a file: false where they are not such a variable's. */
function restored(variable: tf.Variable, { dtype, shape, values }: Saved): boolean {
  if (variable.dtype !== dtype || !tf.util.arraysEqual(variable.shape, shape)) return false;
  tf.tidy(() => variable.assign(tf.tensor(values, shape, dtype)));
  return true;
}

/** Puts a net's variables back; false where these are of another net. */
export const restoreNet = (variables: readonly tf.Variable[], from: readonly Saved[]): boolean =>
  from.length === variables.length && variables.every((variable, index) => restored(variable, from[index]!));

/** Puts back what an optimizer held, also slots that it would make at its first step; false where it has no such place. */
export function restoreOptimizer(optimizer: tf.Optimizer, from: readonly Saved[]): boolean {
  const fields = optimizer as unknown as Record<string, unknown>;
  return from.every((each) => {
    const [, key, index, originalName] = each.name.match(/^(\w+)(?:\/(\d{1,6})\/(.*))?$/) ?? [];
    const field = Object.hasOwn(optimizer, key ?? '') ? fields[key!] : undefined;
    if (index === undefined) return field instanceof tf.Variable && restored(field, each);
    if (!Array.isArray(field)) return false;
    const slot: unknown = field[Number(index)];
    if (isSlot(slot)) return restored(slot.variable, each);
    const variable = tf.tidy(() => tf.variable(tf.tensor(each.values, each.shape, each.dtype), false));
    field[Number(index)] = { originalName: originalName!, variable };
    return true;
  });
}
