// Fashion-MNIST of the Debian package dataset-fashion-mnist, cut to what a task declares, as IDX files.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIdx } from '@retraind/pipeline/data/idx';
import type { MemorySet } from '@retraind/pipeline/data/record-set';
import { inputs, type Labels, labels } from '@retraind/pipeline/data/records';
import { generator } from '@retraind/pipeline/random';
import { fashionMnist } from '../../examples/makers/fashion-mnist.ts';

/** Records and their classes. */
export interface LabelledSet {
  inputs: MemorySet;
  labels: Labels;
}

export const classes = 10;

/** Row numbers 0..rows-1 in an order that `purpose` decides: Fisher and Yates's shuffle by seed 1. */
export const permutation = (rows: number, purpose: string): Int32Array => {
  const next = generator(1, purpose);
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  for (let last = rows - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
};

/** IDX of unsigned bytes. */
const idxBytes = (shape: readonly number[], values: Uint8Array): Uint8Array => {
  const bytes = Buffer.alloc(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, 8, shape.length]);
  for (const [axis, length] of shape.entries()) bytes.writeUInt32BE(length, 4 + 4 * axis);
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
};

const pixels = 28 * 28;

/** Writes `<name>-images.idx` and `<name>-labels.idx`: the given rows of one of the package's two sets. */
export const writeFashion = async (
  folder: string,
  name: string,
  from: 'train' | 't10k',
  rowsOf: (count: number) => Int32Array,
): Promise<void> => {
  const source = await fashionMnist();
  const images = await readIdx(join(source, `${from}-images-idx3-ubyte.gz`));
  const kinds = await readIdx(join(source, `${from}-labels-idx1-ubyte.gz`));
  const rows = rowsOf(kinds.values.length);
  const picked = new Uint8Array(rows.length * pixels);
  for (const [to, row] of rows.entries()) {
    picked.set((images.values as Uint8Array).subarray(row * pixels, (row + 1) * pixels), to * pixels);
  }
  writeFileSync(join(folder, `${name}-images.idx`), idxBytes([rows.length, 28, 28], picked));
  const pickedKinds = Uint8Array.from(rows, (row) => kinds.values[row]!);
  writeFileSync(join(folder, `${name}-labels.idx`), idxBytes([rows.length], pickedKinds));
};

/** Reads what `writeFashion` wrote; `shape` of a record as the net takes it, values 0..1 after scaling. */
export const readFashion = async (
  folder: string,
  name: string,
  shape: readonly number[],
): Promise<LabelledSet> => ({
  inputs: inputs(await readIdx(join(folder, `${name}-images.idx`)), { scale: 1 / 255, shape }),
  labels: labels(await readIdx(join(folder, `${name}-labels.idx`)), { classes }),
});
