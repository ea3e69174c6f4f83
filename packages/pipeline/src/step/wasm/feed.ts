// A batch's values into the planned memory of a program's inputs.
import { RecipeFault } from '../../fault.ts';
import { rowsOf } from '../batch.ts';
import type { Batch, StepOptions } from '../step.ts';
import type { HeapBackend } from './heap.ts';
import type { InputPlace } from './program.ts';

/** Rows of a held set go straight from the set's array into the heap. Throws a RecipeFault where a row does not exist. */
export function feed(
  { wasm }: HeapBackend,
  places: ReadonlyMap<string, InputPlace>,
  batch: Batch,
  hold: StepOptions['hold'],
): void {
  for (const [name, { address, size, dtype }] of places) {
    const given = batch[name]!;
    const { buffer } = wasm.HEAPU8;
    const to =
      dtype === 'int32' ? new Int32Array(buffer, address, size) : new Float32Array(buffer, address, size);
    if (!('rows' in given)) {
      if (given.values.length !== size) {
        throw new RecipeFault(
          `input '${name}' has ${given.values.length} values, its shape ${size}`,
          'give as many values as the shape says',
        );
      }
      to.set(given.values);
      continue;
    }
    const { rows } = given;
    const set = hold?.[name];
    const count = set?.shape[0] ?? 0;
    const width = size / rows.length;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      // rowsOf says what is wrong.
      if (!set || !(row >= 0 && row < count)) rowsOf(name, set, rows);
      to.set(set!.values.subarray(row * width, (row + 1) * width), i * width);
    }
  }
}
