// A dataset is known by one digest over its file list, whatever transport brings it (words: packages/shared/README.md).
import { createHash } from 'node:crypto';
import type { PinnedFile, RecipeDataset } from '../recipe/recipe.ts';

/** Order of text by UTF-16 units, the same on every machine and locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The list that is hashed: a line `sha256 bytes plain|uncompressed path` for each file, sorted by path. */
export const manifestText = (files: readonly PinnedFile[]): string =>
  [...files]
    .sort((a, b) => compareText(a.path, b.path))
    .map(
      ({ sha256, bytes, uncompressed, path }) =>
        `${sha256} ${bytes} ${uncompressed ? 'uncompressed' : 'plain'} ${path}\n`,
    )
    .join('');

/** sha256 of the manifest, 64 hex digits. */
export const datasetDigest = ({ files }: Pick<RecipeDataset, 'files'>): string =>
  createHash('sha256').update(manifestText(files), 'utf8').digest('hex');
