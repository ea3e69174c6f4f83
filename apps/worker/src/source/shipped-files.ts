// A retrain must not be able to copy. Before anything is trained, every shipped model leaves the tree, and with it every file of
// tree or data that has the same bytes, compressed or not. What is hidden deeper (in an archive within the tree, in a program's
// text) is not found: docs/explanation/sandbox.md says so.
import { chmod, copyFile, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import type { Companion } from '@retraind/shared/verdict/evidence';
import { Problem } from '@retraind/shared/wire/problems';
import { broken } from '../breakage.ts';
import { compressionOf, digestOf } from '../compression.ts';
import { confinedFile } from '../confined-path.ts';
import { describeCompanions } from './companions.ts';

export interface Reference {
  model: RecipeModel;
  /** The shipped file, kept outside of all that a recipe sees. */
  path: string;
  sha256: string;
  bytes: number;
  /** Files beside it that hold values of its tensors, kept beside its copy. */
  companions: readonly Companion[];
}

const copy = async (from: string, to: string): Promise<void> => {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o644);
};

/** Copies a model and its companions into a folder of their own: the evaluator sees the whole folder. */
const keep = async (
  model: RecipeModel,
  from: string,
  names: readonly string[],
  folder: string,
): Promise<Reference> => {
  const path = join(folder, basename(from));
  await copy(from, path);
  for (const name of names) {
    const real = await confinedFile(dirname(from), name);
    if (real !== null) await copy(real, join(folder, name));
  }
  const companions = await describeCompanions(folder, names);
  return { model, path, ...(await digestOf(path, 'plain')), companions };
};

export interface TakeOut {
  models: readonly RecipeModel[];
  tree: string;
  /** Where references are kept. */
  folder: string;
  /** Unpacked binary package that holds a model's file. */
  packageFolder: (packageName: string) => Promise<string>;
  /** A file that is judged in place of the shipped one (`--reference`). */
  override: string | null;
  /** Names, below its folder, of the files that a model keeps its values in. */
  companionsOf: (path: string) => Promise<readonly string[]>;
  say: (line: string) => void;
}

/** Takes the shipped files out of the tree (but what the recipe says it reads) and keeps them as references, in the order of the models. */
export const takeOutShipped = async (wish: TakeOut): Promise<Reference[]> => {
  const { models, tree, folder, say } = wish;
  if (wish.override !== null && models.length > 1) {
    throw new Problem(
      'usage',
      `--reference names one file, the recipe has ${models.length} models.`,
      'Leave it out.',
    );
  }
  const references: Reference[] = [];
  for (const [i, model] of models.entries()) {
    const { file } = model;
    const place = file.kind === 'tree' ? 'the source tree' : `the package ${file.packageName}`;
    let shipped: string | null = null;
    // Nets of one file are models of their own: the first of them has taken it out.
    const twin = references.find(({ model: one }) => isDeepStrictEqual(one.file, file));
    if (twin) shipped = twin.path;
    else if (file.kind === 'tree') shipped = await confinedFile(tree, file.path);
    // With an override the package is not asked for: it need not even exist.
    else if (wish.override === null)
      shipped = await confinedFile(await wish.packageFolder(file.packageName), file.path);
    if (shipped === null && wish.override === null) {
      throw broken(
        'recipe',
        'invalid-recipe',
        `Model ${model.name}: ${place} has no ${file.path}.`,
        'Mend the File field of debian/retrain/control: it names the shipped model.',
      );
    }
    const from = wish.override ?? shipped!;
    const names = twin ? twin.companions.map(({ path }) => path) : await wish.companionsOf(from);
    references.push(await keep(model, from, names, join(folder, String(i + 1))));
    if (file.kind === 'tree' && shipped !== null && twin === undefined && !model.readsShipped) {
      const companions = wish.override === null ? names : await wish.companionsOf(shipped);
      await rm(join(tree, file.path), { force: true });
      for (const name of companions) {
        const beside = join(dirname(shipped), name);
        const real = await confinedFile(dirname(shipped), name);
        for (const each of [beside, real]) if (each !== null) await rm(each, { force: true });
        say(`taken out: ${name}, which holds values of ${file.path}\n`);
      }
      await rm(shipped, { force: true });
      say(
        `taken out: ${file.path}, the shipped file of model ${model.name} (sha256 ${references[i]!.sha256})\n`,
      );
    }
  }
  return references;
};

async function* plainFiles(folder: string): AsyncGenerator<string> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stat = await lstat(path);
    if (stat.isDirectory()) yield* plainFiles(path);
    else if (stat.isFile()) yield path;
  }
}

/** Bytes by digest. */
interface Sought {
  sha256: string;
  bytes: number;
}

/** Which of these the file holds, as it is or compressed. */
const twinOf = async <S extends Sought>(path: string, references: readonly S[]): Promise<S | null> => {
  const { size } = await lstat(path);
  if (references.some(({ bytes }) => bytes === size)) {
    const { sha256 } = await digestOf(path, 'plain');
    const twin = references.find((one) => one.sha256 === sha256);
    if (twin) return twin;
  }
  if ((await compressionOf(path)) === null) return null;
  const largest = Math.max(...references.map(({ bytes }) => bytes));
  try {
    const { sha256 } = await digestOf(path, 'decompressed', largest);
    return references.find((one) => one.sha256 === sha256) ?? null;
  } catch (error) {
    // Larger than any reference, or broken: not one of them. A tool that is missing is another matter.
    if (error instanceof Problem && error.code === 'tool-missing') throw error;
    return null;
  }
};

/** Every plain file below the folders that holds one of these, as it is or compressed. What has 0 bytes matches nothing. */
export async function* filesWithBytes<S extends Sought>(
  folders: readonly string[],
  all: readonly S[],
): AsyncGenerator<{ folder: string; path: string; holds: S }> {
  const sought = all.filter(({ bytes }) => bytes > 0);
  if (sought.length === 0) return;
  for (const folder of folders) {
    for await (const path of plainFiles(folder)) {
      const holds = await twinOf(path, sought);
      if (holds !== null) yield { folder, path, holds };
    }
  }
}

/** Removes every file below the folders that has a reference's bytes. */
export const removeTwins = async (
  folders: readonly string[],
  references: readonly Reference[],
  say: (line: string) => void,
): Promise<void> => {
  const sought = references
    .filter(({ model }) => !model.readsShipped)
    .flatMap((reference) => [reference, ...reference.companions.map((one) => ({ ...reference, ...one }))]);
  for await (const { folder, path, holds } of filesWithBytes(folders, sought)) {
    await rm(path);
    say(`taken out: ${relative(folder, path)}, which holds the shipped file of model ${holds.model.name}\n`);
  }
};
