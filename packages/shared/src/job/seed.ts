// Seeds of a job come from public randomness and are never chosen: an uploader who could choose them could try seeds until a
// tampered model passes. Anyone can recompute them: `printf '%s\n' SOURCE VERSION DIGEST… BEACON | sha256sum`.
import { createHash } from 'node:crypto';
import { compareText, datasetDigest } from '../dataset/manifest.ts';
import type { Recipe } from '../recipe/recipe.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

export interface SeedSource {
  source: string;
  version: string;
  /** Dataset digests (dataset/manifest), in any order. */
  datasetDigests: readonly string[];
  /** Digest and Date of the InRelease under which the version was first seen; '' for an archive that the farm itself signs. */
  beacon: string;
  /** A seed that a person gave, which is then the job seed itself; null for none. */
  override: string | null;
}

/** The job seed: the override, else sha256 (hex) over the lines source, version, sorted dataset digests, beacon. */
export function jobSeed({ source, version, datasetDigests, beacon, override }: SeedSource): string {
  if (override !== null) return override;
  const lines = [source, version, ...[...datasetDigests].sort(compareText), beacon];
  return sha256(lines.map((line) => `${line}\n`).join('')).toString('hex');
}

/** The job seed of a recipe: its datasets give the digests. */
export const jobSeedOf = (
  recipe: Pick<Recipe, 'datasets'>,
  rest: Omit<SeedSource, 'datasetDigests'>,
): string => jobSeed({ ...rest, datasetDigests: recipe.datasets.map(datasetDigest) });

/** $RETRAIN_SEED of the job's seed `index` (from 1): 1 + (first 4 bytes, big-endian, of sha256 of `jobSeed/index`) mod (2^31 - 2). */
export function seedAt(seed: string, index: number): number {
  if (!Number.isInteger(index) || index < 1)
    throw new RangeError(`seed index ${index} is not a whole number from 1`);
  return 1 + (sha256(`${seed}/${index}`).readUInt32BE(0) % (2 ** 31 - 2));
}

/** From what the probe inputs are drawn: 64 hex digits that no uploader can know before the job. */
export const probesSeed = (seed: string): string => sha256(`${seed}/probes`).toString('hex');
