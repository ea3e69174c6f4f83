// Hidden units of one model renumbered so that they lie nearest to another's: permuting units (and everything numbered by them)
// leaves a network's function unchanged, so that distances between two trainings are smallest after it. Weight matching:
// Ainsworth, Hayase, Srinivasa, "Git Re-Basin: Merging Models modulo Permutation Symmetries", ICLR 2023, algorithm 1.
import { setImmediate } from 'node:timers/promises';
import { linearSumAssignment } from 'linear-sum-assignment';
import type { Chain, ModelFile, TensorInfo } from '../formats/model-file.ts';
import { addProducts } from './products.ts';

export interface Alignment {
  /** The tensor that leads into the first hidden units, by which a person knows the chain. */
  chain: string;
  widths: number[];
  /** Units that were moved, over all layers; null: not aligned. */
  moved: number | null;
  /** Why it was not aligned. */
  reason: string | null;
}

/** Time grows with the cube of the width, memory with its square (docs/reference/tensor-diff.md has figures). */
export const maxWidth = 4_096;
/** Bytes of the tensors of a chain, of one model. */
const maxChainBytes = 2 ** 30;
/** Rounds over the layers; each can only come nearer, and mostly two or three are enough. */
const maxRounds = 20;

interface Held {
  shape: readonly number[];
  values: Float32Array;
}

/** What is done to a tensor: `axis` is taken in another order. */
const permuteAxis = ({ shape, values }: Held, axis: number, order: ArrayLike<number>): Held => {
  const width = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((size, length) => size * length, 1);
  const out = new Float32Array(values.length);
  for (let outer = 0; outer < values.length; outer += width * inner) {
    for (let unit = 0; unit < width; unit++) {
      const from = outer + order[unit]! * inner;
      out.set(values.subarray(from, from + inner), outer + unit * inner);
    }
  }
  return { shape, values: out };
};

/** A row for each unit: width × the rest. */
const rowsOf = ({ shape, values }: Held, axis: number): Float32Array => {
  const width = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((size, length) => size * length, 1);
  const features = values.length / width;
  if (axis === 0) return values;
  const rows = new Float32Array(values.length);
  let feature = 0;
  for (let outer = 0; outer < values.length; outer += width * inner) {
    for (let i = 0; i < inner; i++, feature++) {
      for (let unit = 0; unit < width; unit++)
        rows[unit * features + feature] = values[outer + unit * inner + i]!;
    }
  }
  return rows;
};

const identity = (width: number): number[] => Array.from({ length: width }, (_, unit) => unit);

/** The order of `b`'s units with the largest sum of products, unit by unit, with `a`'s. */
const bestOrder = (similarity: Float64Array, width: number): number[] => {
  const rows = Array.from({ length: width }, (_, unit) =>
    similarity.subarray(unit * width, (unit + 1) * width),
  );
  return Array.from(linearSumAssignment(rows, { maximaze: true }).rowAssignments);
};

const gainOf = (similarity: Float64Array, order: readonly number[]): number =>
  order.reduce((sum, from, unit) => sum + similarity[unit * order.length + from]!, 0);

export class Aligner {
  readonly #a = new Map<string, Held>();
  readonly #b = new Map<string, Held>();
  readonly #chain: Chain;
  readonly #signal: AbortSignal | undefined;

  constructor(chain: Chain, a: ModelFile, b: ModelFile, signal?: AbortSignal) {
    this.#chain = chain;
    this.#signal = signal;
    for (const name of new Set(chain.flatMap(({ uses }) => uses.map(({ tensor }) => tensor)))) {
      for (const [held, file] of [
        [this.#a, a],
        [this.#b, b],
      ] as const) {
        const index = file.tensors.findIndex((tensor) => tensor.name === name);
        const { shape, bytes } = file.tensors[index]!;
        const values = new Float32Array(bytes / 4);
        file.read(index, 0, new Uint8Array(values.buffer));
        held.set(name, { shape, values });
      }
    }
  }

  /** Products of each unit of a with each of b over these uses. */
  async #similarity(layer: number, uses: Chain[number]['uses']): Promise<Float64Array> {
    const { width } = this.#chain[layer]!;
    const sums = new Float64Array(width * width);
    for (const { tensor, axis } of uses) {
      const a = rowsOf(this.#a.get(tensor)!, axis);
      const b = rowsOf(this.#b.get(tensor)!, axis);
      for (const _ of addProducts(sums, a, b, width)) {
        await setImmediate();
        this.#signal?.throwIfAborted();
      }
    }
    return sums;
  }

  #permute(layer: number, order: readonly number[]): void {
    for (const { tensor, axis } of this.#chain[layer]!.uses) {
      this.#b.set(tensor, permuteAxis(this.#b.get(tensor)!, axis, order));
    }
  }

  /** Whether all values are numbers: assignments of what is none have no best. */
  isFinite(): boolean {
    return [...this.#a.values(), ...this.#b.values()].every(({ values }) => values.every(Number.isFinite));
  }

  /** Σ (a - b)² over the chain's tensors. */
  #distance(): number {
    let sum = 0;
    for (const [name, { values }] of this.#a) {
      const other = this.#b.get(name)!.values;
      for (let i = 0; i < values.length; i++) sum += (values[i]! - other[i]!) ** 2;
    }
    return sum;
  }

  /** Renumbers b's units; leaves them where no order was found that lies nearer. Returns b's tensors as they then are, and how many units lie elsewhere than before. */
  async align(): Promise<{ tensors: Map<string, Float32Array>; moved: number }> {
    const chain = this.#chain;
    const before = new Map(this.#b);
    const distanceBefore = this.#distance();
    let orders = chain.map(({ width }) => identity(width));
    const step = async (layer: number, uses: Chain[number]['uses'], always: boolean): Promise<boolean> => {
      const similarity = await this.#similarity(layer, uses);
      const order = bestOrder(similarity, chain[layer]!.width);
      const current = identity(order.length);
      // Ties and rounding must not send it round in circles.
      const gained = gainOf(similarity, order) - gainOf(similarity, current);
      const moves = order.some((from, unit) => from !== unit);
      if (!moves || (!always && !(gained > 1e-9 * Math.abs(gainOf(similarity, order))))) return false;
      this.#permute(layer, order);
      orders[layer] = order.map((from) => orders[layer]![from]!);
      return true;
    };
    // First by what comes in alone, from the inputs on: the units behind a layer are still in disorder when it is matched.
    for (const [layer, { uses }] of chain.entries()) {
      const after =
        layer + 1 < chain.length ? new Set(chain[layer + 1]!.uses.map(({ tensor }) => tensor)) : new Set();
      await step(
        layer,
        uses.filter(({ tensor }) => !after.has(tensor)),
        true,
      );
    }
    for (let round = 0, changed = chain.length > 1; changed && round < maxRounds; round++) {
      changed = false;
      for (const [layer, { uses }] of chain.entries()) changed = (await step(layer, uses, false)) || changed;
    }
    if (!(this.#distance() < distanceBefore)) {
      for (const [name, held] of before) this.#b.set(name, held);
      orders = [];
    }
    return {
      tensors: new Map([...this.#b].map(([name, { values }]) => [name, values])),
      moved: orders.reduce((sum, order) => sum + order.filter((from, unit) => from !== unit).length, 0),
    };
  }
}

type Tensors = ReadonlyMap<string, TensorInfo>;
const tensorsOf = (file: ModelFile): Tensors => new Map(file.tensors.map((tensor) => [tensor.name, tensor]));

const reasonAgainst = (chain: Chain, a: Tensors, b: Tensors): string | null => {
  const wide = chain.find(({ width }) => width > maxWidth);
  if (wide) return `a layer has ${wide.width} units; up to ${maxWidth} are aligned`;
  let bytes = 0;
  for (const name of new Set(chain.flatMap(({ uses }) => uses.map(({ tensor }) => tensor)))) {
    const one = a.get(name);
    const other = b.get(name);
    if (!other || one!.shape.join('x') !== other.shape.join('x'))
      return `the other file has no such ${JSON.stringify(name)}`;
    if (one!.dtype !== 'F32' || other.dtype !== 'F32') return 'its tensors are not float32';
    bytes += one!.bytes;
  }
  return bytes > maxChainBytes ? `its tensors have ${bytes} bytes; up to ${maxChainBytes} are aligned` : null;
};

/** `b` with the units of every chain that both know renumbered towards `a`. Its other tensors are read where they lie. */
export const alignModel = async (
  a: ModelFile,
  b: ModelFile,
  signal?: AbortSignal,
): Promise<{ file: ModelFile; alignments: Alignment[] }> => {
  const moved = new Map<string, Uint8Array>();
  const alignments: Alignment[] = [];
  const tensorsA = tensorsOf(a);
  const tensorsB = tensorsOf(b);
  const known = new Set(b.chains.map((chain) => JSON.stringify(chain)));
  for (const chain of a.chains) {
    const report = { chain: chain[0]!.uses[0]!.tensor, widths: chain.map(({ width }) => width) };
    const against = known.has(JSON.stringify(chain))
      ? reasonAgainst(chain, tensorsA, tensorsB)
      : 'the other file has no such chain of layers';
    if (against !== null) {
      alignments.push({ ...report, moved: null, reason: against });
      continue;
    }
    const aligner = new Aligner(chain, a, b, signal);
    if (!aligner.isFinite()) {
      alignments.push({ ...report, moved: null, reason: 'its tensors hold NaN or infinity' });
      continue;
    }
    const result = await aligner.align();
    for (const [name, values] of result.tensors) moved.set(name, new Uint8Array(values.buffer));
    alignments.push({ ...report, moved: result.moved, reason: null });
  }
  const file: ModelFile = {
    ...b,
    read: (index, position, into) => {
      const held = moved.get(b.tensors[index]!.name);
      if (held) into.set(held.subarray(position, position + into.length));
      else b.read(index, position, into);
    },
  };
  return { file, alignments };
};
