// What `retrain run` was pointed at: a folder, a .dsc, or a package of this machine's archives.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Apt } from '@retraind/host/apt';
import { readDsc } from '@retraind/host/apt/dsc';
import { parseDeb822, valueIn } from '@retraind/shared/recipe/deb822';
import { StanzaSplitter } from '@retraind/shared/recipe/stanza-splitter';
import { compareVersions } from '@retraind/shared/recipe/version';
import { Problem } from '@retraind/shared/wire/problems';
import { digestOf } from '../compression.ts';
import { readChangelogHead } from '../source/changelog.ts';
import type { SourceOrigin } from '../steps/context.ts';

export interface LocalSource {
  source: string;
  version: string;
  origin: SourceOrigin;
  /** Of all that the source is made of: a job that was cut off goes on only with the same. */
  digest: string;
}

/** Digest over paths and contents of a folder; links by their text. */
export const folderDigest = async (folder: string): Promise<string> => {
  const hash = createHash('sha256');
  const visit = async (path: string, name: string): Promise<void> => {
    const found = await lstat(path);
    if (found.isDirectory()) {
      for (const entry of (await readdir(path)).sort()) {
        if (entry !== '.git') await visit(join(path, entry), `${name}/${entry}`);
      }
    } else if (found.isSymbolicLink()) hash.update(`link ${name} ${await readlink(path)}\n`);
    else if (found.isFile())
      hash.update(`file ${name} ${found.mode & 0o111} ${(await digestOf(path, 'plain')).sha256}\n`);
  };
  await visit(folder, '');
  return hash.digest('hex');
};

const ofPath = async (path: string): Promise<LocalSource> => {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) {
    const { source, version } = await readChangelogHead(path);
    return { source, version, origin: { kind: 'tree', folder: path }, digest: await folderDigest(path) };
  }
  if (found?.isFile() && path.endsWith('.dsc')) {
    const { source, version } = await readDsc(path);
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    return { source, version, origin: { kind: 'dsc', path }, digest };
  }
  throw new Problem(
    'not-found',
    `${path} is neither a folder with a source package nor a .dsc.`,
    'Name a folder with debian/ in it, a .dsc, or a package.',
  );
};

/** The highest version that the archive's Sources index has. `Extra-Source-Only` stanzas are passed over. */
const highestVersion = async (apt: Apt, name: string): Promise<string> => {
  let highest: string | null = null;
  for (const { path } of await apt.sourceIndexes()) {
    const splitter = new StanzaSplitter(path);
    const take = ({ text }: { text: string }): void => {
      if (!text.startsWith(`Package: ${name}\n`)) return;
      const [stanza] = parseDeb822(text, { file: path }).stanzas;
      const version = stanza && valueIn(stanza, 'Version');
      if (!version || valueIn(stanza, 'Extra-Source-Only') === 'yes') return;
      if (highest === null || compareVersions(version, highest) > 0) highest = version;
    };
    for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
      for (const stanza of splitter.push(chunk as string)) take(stanza);
    }
    for (const stanza of splitter.end()) take(stanza);
  }
  if (highest !== null) return highest;
  throw apt.missing(
    new Problem(
      'not-found',
      `The archives of this machine have no source package ${name}.`,
      'Check the name; a folder is written with a slash (./name).',
    ),
  );
};

/** Finds the source, and fetches it into `downloads` where it is a package. */
export const findLocalSource = async (
  wish: { path: string } | { packageName: string },
  archive: () => Promise<Apt>,
  downloads: string,
  signal: AbortSignal,
): Promise<LocalSource> => {
  if ('path' in wish) return await ofPath(resolve(wish.path));
  const apt = await archive();
  const version = await highestVersion(apt, wish.packageName);
  const folder = join(downloads, `${wish.packageName}_${version.replace(/:/g, '%3a')}`);
  const { dsc } = await apt.fetchSource(wish.packageName, version, folder, signal);
  return await ofPath(dsc);
};
