// Rows of a held set, on the host's side.
import { RecipeFault } from '../fault.ts';
import type { Batch, HostTensor } from './step.ts';

/** Throws a RecipeFault where one of `rows` lies outside of a set of `count`. */
export function checkRows(name: string, rows: Int32Array, count: number): void {
  for (const row of rows) {
    if (row >= 0 && row < count) continue;
    throw new RecipeFault(`row ${row} of '${name}' does not exist`, `rows go from 0 to ${count - 1}`);
  }
}

/** Throws a RecipeFault where there are not as many values as the shape says. */
export function checkValues(name: string, { shape, values }: HostTensor): void {
  if (shape.reduce((product, length) => product * length, 1) === values.length) return;
  throw new RecipeFault(
    `'${name}' is said to be [${shape}] and has ${values.length} values`,
    'give as many values as the shape says',
  );
}

/** The named rows of a set, [rows, …]. Throws a RecipeFault where the set is missing or a row lies outside. */
export function rowsOf(name: string, set: HostTensor | undefined, rows: Int32Array): HostTensor {
  if (!set) throw new RecipeFault(`the step holds no set '${name}'`, 'name it under `hold`, or feed values');
  const count = set.shape[0]!;
  const size = set.values.length / count;
  const values =
    set.values instanceof Int32Array
      ? new Int32Array(rows.length * size)
      : new Float32Array(rows.length * size);
  checkRows(name, rows, count);
  for (const [i, row] of rows.entries()) {
    values.set(set.values.subarray(row * size, (row + 1) * size), i * size);
  }
  return { shape: [rows.length, ...set.shape.slice(1)], values };
}

const shapeOf = (feed: Batch[string]): string =>
  'rows' in feed ? `rows ${feed.rows.length}` : `${feed.values.constructor.name} ${feed.shape.join('x')}`;

/** The same for all batches that one recording of a function serves. */
export const batchKey = (name: string, batch: Batch): string =>
  [
    name,
    ...Object.entries(batch)
      .map(([input, feed]) => `${input} ${shapeOf(feed)}`)
      .sort(),
  ].join(', ');
