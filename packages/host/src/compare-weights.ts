// Reads the weights of several models side by side and sums their distances: a stretch of each file at a time, so that memory is
// bounded by the number of files, not by their size.
import { type FileHandle, open } from 'node:fs/promises';
import type { WeightsRef } from '@retraind/shared/verdict/evidence';
import {
  alignTensors,
  TensorSums,
  valuesOf,
  type WeightComparison,
} from '@retraind/shared/verdict/weight-distances';
import { Problem } from '@retraind/shared/wire/problems';
import type { ArtifactStore } from './artifacts.ts';
import { floatsOf } from './judged-file.ts';

/** Of each file at a time. */
const stretchBytes = 1024 * 1024;

/** Distances between the weights of these artifacts, each digest once. Problems: `not-found`, `invalid-data`. */
export const compareWeights = async (
  artifacts: ArtifactStore,
  refs: readonly WeightsRef[],
): Promise<WeightComparison> => {
  const distinct = refs.filter(({ sha256 }, i) => refs.findIndex((ref) => ref.sha256 === sha256) === i);
  const aligned = alignTensors(distinct);
  if ('why' in aligned) return aligned;
  const files: FileHandle[] = [];
  try {
    for (const ref of distinct) {
      await checkSize(artifacts, ref);
      files.push(await open(artifacts.pathOf(ref.sha256), 'r'));
    }
    const buffers = files.map(() => Buffer.alloc(stretchBytes));
    const tensors = [];
    for (const span of aligned.spans) {
      const sums = new TensorSums(files.length);
      for (let from = 0; from < span.values; from += stretchBytes / 4) {
        const bytes = Math.min(stretchBytes, (span.values - from) * 4);
        const chunks = await Promise.all(
          files.map(async (file, i) =>
            floatsOf(await readAt(file, buffers[i]!, bytes, (span.starts[i]! + from) * 4)),
          ),
        );
        sums.add(chunks);
      }
      tensors.push(sums.result(span));
    }
    return { files: distinct.map(({ sha256 }) => sha256), tensors };
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
};

const checkSize = async (artifacts: ArtifactStore, { sha256, tensors }: WeightsRef): Promise<void> => {
  const bytes = await artifacts.sizeOf(sha256);
  if (bytes === null) throw new Problem('not-found', `the store has no artifact ${sha256}`);
  const said = tensors.reduce((sum, { shape }) => sum + valuesOf(shape), 0) * 4;
  if (bytes === said) return;
  throw new Problem('invalid-data', `weights ${sha256} have ${bytes} bytes, their tensors ${said}`);
};

const readAt = async (file: FileHandle, buffer: Buffer, bytes: number, position: number): Promise<Buffer> => {
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await file.read(buffer, done, bytes - done, position + done);
    if (bytesRead === 0) throw new Problem('invalid-data', 'a file of weights ended while it was read');
    done += bytesRead;
  }
  return buffer.subarray(0, bytes);
};
