// Step 1: the source package. From the suite's archive by apt, signatures and digests checked; or from a folder or a .dsc of
// this machine. The data of the recipe is fetched in step 2: what it is stands in the source.

import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkDscFiles } from '@retraind/host/apt/dsc';
import { unpackTar } from '@retraind/host/tar';
import type { RunContext } from './context.ts';

/** A source as it came, not unpacked yet. */
export interface Fetched {
  source: { kind: 'tree'; folder: string } | { kind: 'dsc'; dsc: string; files: string[] };
  /** Folder with debian/retrain/, to be laid over the source. */
  overlay: string | null;
}

const overlayLimits = { entries: 10_000, bytes: 2 ** 30 };

const fetchSource = async (context: RunContext): Promise<Fetched['source']> => {
  const { assignment, origin, folders, signal, say } = context;
  if (origin.kind === 'tree') {
    say(`source: the folder ${origin.folder}\n`);
    return { kind: 'tree', folder: origin.folder };
  }
  if (origin.kind === 'dsc') {
    const { source, version, files } = await checkDscFiles(origin.path);
    say(`source: ${source} ${version} from ${origin.path}\n`);
    const beside = files.map(({ name }) => join(dirname(origin.path), name));
    return { kind: 'dsc', dsc: origin.path, files: beside };
  }
  const apt = await context.archive();
  const { dsc, files } = await apt.fetchSource(assignment.source, assignment.version, folders.source, signal);
  say(`source: ${basename(dsc)} from suite ${assignment.suite.name}, signature chain and digests checked\n`);
  return { kind: 'dsc', dsc, files: files.filter((path) => path !== dsc) };
};

const fetchOverlay = async ({ overlay, farm, folders, say }: RunContext): Promise<string | null> => {
  if (overlay === null) return null;
  if (overlay.kind === 'folder') {
    say(`overlay: ${overlay.path}, a recipe of the farm\n`);
    return overlay.path;
  }
  const tar = join(folders.source, 'overlay.tar');
  const folder = join(folders.source, 'overlay');
  await mkdir(folder);
  await farm.getArtifact(overlay.sha256, tar);
  await unpackTar(createReadStream(tar), folder, overlayLimits);
  say(`overlay: sha256 ${overlay.sha256}, a recipe of the farm\n`);
  return folder;
};

export const fetchStep = async (context: RunContext): Promise<Fetched> => {
  context.progress('fetch', null);
  return { source: await fetchSource(context), overlay: await fetchOverlay(context) };
};
