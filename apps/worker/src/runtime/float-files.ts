// Arrays as files of float32, little-endian: what the evaluator leaves beside its answer.
import { writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { FloatsShape } from './evaluation.ts';

/** Writes `<folder>/<name>.f32` and answers its shape. The folder is the evaluator's own, and read only when it has ended. */
export const writeFloats = (
  folder: string,
  name: string,
  { rows, columns, values }: FloatsShape & { values: Float32Array },
): FloatsShape => {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  writeFileSync(join(folder, `${name}.f32`), endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32());
  return { rows, columns };
};
