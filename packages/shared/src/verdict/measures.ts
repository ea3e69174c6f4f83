// What the tests ask of predictions, each computed once whoever asks: every look, every model of a job that is judged anew, every
// draw of a calibration over the same files. Known by the identity of the arrays, which nobody may change meanwhile; forgotten with
// them.
import type { Task } from '../recipe/recipe.ts';
import { cellMeans } from './cell-means.ts';
import { meanEntropy } from './entropy.ts';
import { type Fit, fitOf } from './fit.ts';
import { distanceFor } from './hellinger.ts';
import { sureClasses } from './sure-classes.ts';

/** Memo of figures of predictions (row-major, rows × columns). */
export class Measures {
  readonly #single = new WeakMap<Float32Array, Map<string, unknown>>();
  readonly #pairs = new WeakMap<Float32Array, Map<string, WeakMap<Float32Array, unknown>>>();

  /** The figure `name` of one array. */
  of<T>(values: Float32Array, name: string, make: () => T): T {
    const known = childOf(this.#single, values, () => new Map<string, unknown>());
    if (!known.has(name)) known.set(name, make());
    return known.get(name) as T;
  }

  /** The figure `name` of two arrays, in this order. */
  ofPair<T>(a: Float32Array, b: Float32Array, name: string, make: () => T): T {
    const names = childOf(this.#pairs, a, () => new Map<string, WeakMap<Float32Array, unknown>>());
    const known = childOf(names, name, () => new WeakMap<Float32Array, unknown>());
    return childOf(known, b, make) as T;
  }

  /** Distance of two models' outputs by the task's own measure (hellinger.ts). Throws TypeError for a task without one. */
  distance(task: Task, a: Float32Array, b: Float32Array, columns: number): number {
    const distance = distanceFor(task);
    if (!distance) throw new TypeError(`task ${task} has no distance`);
    const known = this.#pairs.get(b)?.get(distance.name)?.get(a);
    if (known !== undefined) return known as number;
    return this.ofPair(a, b, distance.name, () => distance.of(a, b, columns));
  }

  /** One number a column (cell-means.ts). */
  cellMeans(task: Task, values: Float32Array, columns: number): number[] {
    return this.of(values, `means/${task}`, () => cellMeans(task, values, columns));
  }

  /** Mean entropy of class probabilities, nats (entropy.ts). */
  entropy(values: Float32Array, columns: number): number {
    return this.of(values, 'entropy', () => meanEntropy(values, columns));
  }

  /** Fit to true answers (fit.ts). */
  fit(task: Task, values: Float32Array, columns: number, targets: Float32Array): Fit {
    return this.ofPair(values, targets, `fit/${task}`, () => fitOf(task, values, columns, targets));
  }

  /** What is said in each row, and whether for sure (sure-classes.ts). */
  sureClasses(values: Float32Array, columns: number): Int32Array {
    return this.of(values, 'sure classes', () => sureClasses(values, columns));
  }
}

interface Lookup<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
}

const childOf = <K, V>(map: Lookup<K, V>, key: K, make: () => V): V => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};
