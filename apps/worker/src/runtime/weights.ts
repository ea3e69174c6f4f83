// The float weights of a model file: their norm, and all of them as one array of float32. Read once, in pieces: memory does not grow
// with the file.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import type { WeightsRef } from '@retraind/shared/verdict/evidence';
import { decoderOf } from './diff/elements.ts';
import type { Dtype } from './formats/dtype.ts';
import { dtypeBits } from './formats/dtype.ts';
import type { ModelFile } from './formats/model-file.ts';

const floats: ReadonlySet<Dtype> = new Set<Dtype>(['F16', 'BF16', 'F32', 'F64']);
/** Elements that are read at once: 2 MiB of doubles. */
const chunkElements = 2 ** 18;

/** What a report has room for, and what a verdict loads (1 GiB of float32): larger models are compared without their weights. */
const maxValues = 2 ** 28;
const maxTensors = 10_000;
const maxRank = 16;
const maxNameLength = 1_024;

export interface Weights {
  /** L2 norm over all float tensors; null where it is not finite, or where there are none. */
  norm: number | null;
  /** The tensors in the order of `weights.f32`; null where they were not asked for, or pass a limit. */
  tensors: WeightsRef['tensors'] | null;
  /** Why they were not written though asked for. */
  note: string | null;
}

const limitOf = (tensors: ModelFile['tensors'], values: number): string | null => {
  if (values > maxValues) return `it has ${values} weights, more than ${maxValues}`;
  if (tensors.length > maxTensors) return `it has ${tensors.length} tensors, more than ${maxTensors}`;
  const odd = tensors.find(({ name, shape }) => name.length > maxNameLength || shape.length > maxRank);
  return odd === undefined ? null : `a tensor of it has more than ${maxRank} dimensions, or a name too long`;
};

/**
 * Reads all tensors of float16, bfloat16, float32 and float64, in the order of the file's tensors (by name). `keepIn`: folder that gets
 * `weights.f32`, little-endian; float64 is rounded to the nearest float32, the shorter ones become float32 without loss.
 */
export const readWeights = (file: ModelFile, keepIn: string | null): Weights => {
  const chosen = file.tensors
    .map((tensor, index) => ({ ...tensor, index, elements: (8 * tensor.bytes) / dtypeBits[tensor.dtype] }))
    .filter(({ dtype }) => floats.has(dtype));
  const values = chosen.reduce((sum, { elements }) => sum + elements, 0);
  const note = keepIn === null ? null : limitOf(chosen, values);
  const path = keepIn === null || note !== null || values === 0 ? null : join(keepIn, 'weights.f32');
  const output = path === null ? null : openSync(path, 'w');
  const bytes = Buffer.alloc(8 * chunkElements);
  const decoded = new Float64Array(chunkElements);
  const single = new Float32Array(chunkElements);
  const written = Buffer.from(single.buffer);
  let squares = 0;
  try {
    for (const { index, dtype, elements } of chosen) {
      const decode = decoderOf(dtype)!;
      const width = dtypeBits[dtype] / 8;
      for (let at = 0; at < elements; at += chunkElements) {
        const count = Math.min(chunkElements, elements - at);
        file.read(index, at * width, bytes.subarray(0, count * width));
        decode(bytes, count, decoded);
        for (let i = 0; i < count; i++) squares += decoded[i]! * decoded[i]!;
        if (output === null) continue;
        single.set(count === chunkElements ? decoded : decoded.subarray(0, count));
        const part = written.subarray(0, 4 * count);
        writeSync(output, endianness() === 'LE' ? part : Buffer.from(part).swap32());
      }
    }
  } catch (error) {
    if (path !== null) rmSync(path, { force: true });
    throw error;
  } finally {
    if (output !== null) closeSync(output);
  }
  const norm = Math.sqrt(squares);
  return {
    norm: values > 0 && Number.isFinite(norm) ? norm : null,
    tensors: path === null ? null : chosen.map(({ name, shape }) => ({ name, shape: [...shape] })),
    note,
  };
};
