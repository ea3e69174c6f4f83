// Data of digits-mlp: 1,797 handwritten digits of 8x8 pixels, 0..16 (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998,
// "Optical Recognition of Handwritten Digits", its test set, CC BY 4.0), as scikit-learn ships them; from Debian's python3-sklearn.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readNpy } from '@retraind/pipeline/data/npy';
import { inputs, labels } from '@retraind/pipeline/data/records';
import { writeWhole } from '@retraind/pipeline/file';
import { Problem } from '@retraind/shared/wire/problems';
import { unpackedPackage } from '../../../../examples/makers/debian-package.ts';
import { type LabelledSet, permutation } from '../../fashion-data.ts';
import { npyBytes } from '../../npy.ts';

const inside = 'usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz';
/** Of the text, not of the gzip: each release of the package compresses anew. */
const textSha256 = '6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8';
const textBytes = 264_712;

const pixels = 64;
export const image = { side: 8, white: 16, classes: 10 };

/** Rows of the declared set, of the held-out one, and of those that only attackers use: all others. */
export const rows = { train: 900, test: 500, other: 397 } as const;
export type SetName = keyof typeof rows;

const readText = async (): Promise<string> => {
  const path = join(await unpackedPackage('python3-sklearn'), inside);
  const text = gunzipSync(await readFile(path), { maxOutputLength: 2 * textBytes });
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (sha256 !== textSha256)
    throw new Problem(
      'digest-mismatch',
      `the decompressed ${path} has the sha256 ${sha256}, not ${textSha256}`,
      'take the digits.csv.gz of scikit-learn 1.2',
    );
  return text.toString('latin1');
};

/** For each set `<set>-images.npy` (rows × 64) and `<set>-labels.npy`, both unsigned bytes. */
export const writeDigits = async (folder: string): Promise<void> => {
  const lines = (await readText()).trim().split('\n');
  const order = permutation(lines.length, 'digits-mlp/rows');
  let from = 0;
  for (const [set, count] of Object.entries(rows)) {
    const values = [...order.subarray(from, from + count)].map((row) => lines[row]!.split(',').map(Number));
    from += count;
    const images = Uint8Array.from(values.flatMap((line) => line.slice(0, pixels)));
    const kinds = Uint8Array.from(values, (line) => line[pixels]!);
    await writeWhole(join(folder, `${set}-images.npy`), npyBytes([count, pixels], images));
    await writeWhole(join(folder, `${set}-labels.npy`), npyBytes([count], kinds));
  }
};

/** A set that `writeDigits` wrote. */
export const readDigits = async (folder: string, set: SetName): Promise<LabelledSet> => ({
  inputs: inputs(await readNpy(join(folder, `${set}-images.npy`)), { scale: 1 / image.white }),
  labels: labels(await readNpy(join(folder, `${set}-labels.npy`)), { classes: image.classes }),
});
