// The arrays that a judgement needs of one model file, read from the artifact store: predictions, and of the shipped file true answers
// and slices. Scheduler and local run judge by the same arrays.
import { endianness } from 'node:os';
import type { Evidence, PredictionsRef } from '@retraind/shared/verdict/evidence';
import { evidenceSets, labelledSets } from '@retraind/shared/verdict/evidence';
import type { JudgedFile } from '@retraind/shared/verdict/judged';
import { Problem } from '@retraind/shared/wire/problems';
import type { ArtifactStore } from './artifacts.ts';

/** One array may have this many bytes: 10,000 patch probes of 1,000 classes are 40 MB. */
const largestArray = 512 * 1024 * 1024;

/** The values of little-endian float32 bytes; they take over the bytes where those are aligned. */
export const floatsOf = (bytes: Buffer): Float32Array => {
  if (endianness() === 'BE') bytes.swap32();
  const { buffer, byteOffset, length } = bytes;
  return byteOffset % 4 === 0
    ? new Float32Array(buffer, byteOffset, length / 4)
    : new Float32Array(buffer.slice(byteOffset, byteOffset + length));
};

const readArray = async (artifacts: ArtifactStore, ref: PredictionsRef): Promise<Float32Array> => {
  const bytes = await artifacts.readWhole(ref.sha256, largestArray);
  if (bytes.length !== ref.rows * ref.columns * 4) {
    throw new Problem(
      'invalid-data',
      `artifact ${ref.sha256} has ${bytes.length} bytes, not ${ref.rows} × ${ref.columns} float32`,
    );
  }
  return floatsOf(bytes);
};

/** `withAnswers`: true answers and slices too, which are the same for every file of a job. Problems: `not-found`, `too-large`, `invalid-data`. */
export const readJudgedFile = async (
  artifacts: ArtifactStore,
  evidence: Evidence,
  withAnswers: boolean,
): Promise<JudgedFile> => {
  const file: JudgedFile = { evidence, predictions: {} };
  for (const set of evidenceSets) {
    const ref = evidence.sets[set];
    if (ref) file.predictions[set] = await readArray(artifacts, ref);
  }
  if (!withAnswers) return file;
  if (evidence.slices) file.slices = await readArray(artifacts, evidence.slices);
  if (evidence.targets) file.targets = {};
  for (const set of labelledSets) {
    const ref = evidence.targets?.[set];
    if (ref) file.targets![set] = await readArray(artifacts, ref);
  }
  return file;
};
