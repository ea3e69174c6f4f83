// Brings the declared data of a recipe: location after location until one yields the pinned bytes. What was checked once is
// kept by digest, so that ten runs fetch and check once.
import { existsSync } from 'node:fs';
import { chmod, constants, copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PinnedFile, RecipeDataset } from '@retraind/shared/recipe/recipe';
import { Problem } from '@retraind/shared/wire/problems';
import { broken } from '../breakage.ts';
import { digestOf } from '../compression.ts';
import { confinedFile } from '../confined-path.ts';
import { dataTransports, type TransportRequest } from './transport.ts';

export interface DatasetsRequest extends Omit<TransportRequest, 'dataset' | 'location'> {
  datasets: readonly RecipeDataset[];
  /** Empty; gets one folder a dataset. */
  folder: string;
  /** Whether the run cannot write to what it is given; else it gets copies of its own. */
  mayLink: boolean;
  say: (line: string) => void;
}

const keptPath = (cache: string, file: PinnedFile): string =>
  join(cache, 'data', `${file.uncompressed ? 'uncompressed' : 'plain'}-${file.sha256}`);

/** Problem `digest-mismatch` that names the file, what was pinned and what came. */
const check = async (dataset: RecipeDataset, file: PinnedFile, path: string): Promise<void> => {
  const form = file.uncompressed ? 'decompressed' : 'plain';
  const found = await digestOf(path, form, file.bytes).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'too-large') return null;
    if (error instanceof Problem) throw error;
    throw new Problem('invalid-data', `Dataset ${dataset.name}, ${file.path}: ${(error as Error).message}.`);
  });
  if (found?.sha256 === file.sha256 && found.bytes === file.bytes) return;
  const bytes = file.uncompressed ? 'decompressed bytes' : 'bytes';
  const came =
    found === null ? `more than ${file.bytes} ${bytes}` : `${found.bytes} ${bytes} of sha256 ${found.sha256}`;
  throw new Problem(
    'digest-mismatch',
    `Dataset ${dataset.name}, ${file.path}: the recipe pins ${file.bytes} ${bytes} of sha256 ${file.sha256}, there are ${came}.`,
    'Fetch the right version of the data, or pin what is meant in debian/retrain/control.',
  );
};

const keep = async (path: string, kept: string): Promise<void> => {
  await mkdir(dirname(kept), { recursive: true });
  const draft = `${kept}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await copyFile(path, draft, constants.COPYFILE_FICLONE);
    await chmod(draft, 0o444);
    await rename(draft, kept);
  } finally {
    await rm(draft, { force: true });
  }
};

const fetchInto = async (dataset: RecipeDataset, request: DatasetsRequest): Promise<void> => {
  const faults: Problem[] = [];
  for (const { transport, location } of dataset.locations) {
    const adapter = dataTransports.find(({ name }) => name === transport);
    try {
      if (!adapter)
        throw new Problem(
          'not-supported',
          `Transport ${transport} of dataset ${dataset.name} is not supported yet.`,
        );
      const root = await adapter.bring({ ...request, dataset, location });
      for (const file of dataset.files) {
        const path = await confinedFile(root, join(dataset.directory, file.path));
        if (path === null) {
          throw new Problem(
            'data-wait',
            `Dataset ${dataset.name}: ${location || transport} has no ${join(dataset.directory, file.path)}.`,
          );
        }
        await check(dataset, file, path);
        await keep(path, keptPath(request.cache, file));
      }
      return;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      faults.push(error);
      request.say(`dataset ${dataset.name} by ${transport}: ${error.detail}\n`);
    }
  }
  const first = faults[0] ?? new Problem('data-wait', `Dataset ${dataset.name} has no location.`);
  const detail = faults.length > 1 ? faults.map((fault) => fault.detail).join(' ') : first.detail;
  const elsewhere =
    first.code === 'network-unreachable' || first.code === 'tool-missing' || first.code === 'disk-full';
  if (elsewhere) throw first;
  throw broken(
    first.code === 'not-supported' || first.code === 'invalid-recipe' ? 'recipe' : 'data',
    first.code,
    detail,
    first.hint,
  );
};

const mayComeFromCache = ({ locations }: RecipeDataset): boolean =>
  locations.every(({ transport }) => dataTransports.find(({ name }) => name === transport)?.cached);

/** Lays every pinned file at `<folder>/<dataset>/<path>`, digests checked. Breaks with blame `data` where none of its locations yields a dataset. */
export const bringDatasets = async (request: DatasetsRequest): Promise<void> => {
  for (const dataset of request.datasets) {
    const kept = dataset.files.every((file) => existsSync(keptPath(request.cache, file)));
    if (!kept || !mayComeFromCache(dataset)) await fetchInto(dataset, request);
    for (const file of dataset.files) {
      const target = join(request.folder, dataset.name, file.path);
      await mkdir(dirname(target), { recursive: true });
      const kept = keptPath(request.cache, file);
      if (!request.mayLink) {
        await copyFile(kept, target, constants.COPYFILE_FICLONE);
        continue;
      }
      await link(kept, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EXDEV' && error.code !== 'EMLINK' && error.code !== 'EPERM') throw error;
        return copyFile(kept, target, constants.COPYFILE_FICLONE);
      });
    }
  }
};
