// A signed apt archive of the farm's own, in a folder: what developers and the demo upload to before a distribution does.
//
//   <folder>/key.asc                 private key, 0600
//   <folder>/public/pool/…           .dsc, tarballs, .deb; a name once published never changes its bytes
//   <folder>/public/generations/N/   one whole set of indexes
//   <folder>/public/dists            a symbolic link to the newest: publishing is one rename
//
// Readers that took InRelease before the rename find its indexes by hash: each generation keeps those of the one before.
import { cp, link, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { printStanza } from '@retraind/shared/recipe/deb822';
import { Problem } from '@retraind/shared/wire/problems';
import { checkDscFiles, sha256OfFile } from './apt/dsc.ts';
import { type IndexFile, releaseText, sha256Of } from './archive/release-file.ts';
import { openSigningKey } from './archive/signing-key.ts';
import { runCommand } from './command.ts';
import { ensureTool } from './debian-tools.ts';
import { withLock } from './file-lock.ts';

export interface Archive {
  /** What a server serves and a `file:` URI names. */
  publicFolder: string;
  fingerprint: string;
  publicKeyArmored: string;
  /** Puts a source package into the pool: the .dsc and the files beside it that it names. Problems `invalid-archive`, `digest-mismatch`, `conflict`. */
  addSource(dsc: string): Promise<void>;
  /** Puts a binary package into the pool. */
  addBinary(deb: string): Promise<void>;
  /** Makes, signs and shows new indexes of what lies in the pool. */
  publish(): Promise<void>;
  /** `.sources` text (deb822, key inline) for a suite; `uri` where the archive is not read as a local folder. */
  sources(uri?: string): string;
}

export interface ArchiveOptions {
  folder: string;
  /** Name of its one suite; `local` where absent. */
  suite?: string;
}

/** Debian's names for the machines that Node names. */
const architectures = [
  ...new Set(['amd64', 'arm64', { x64: 'amd64', ia32: 'i386' }[arch() as 'x64'] ?? arch()]),
];
const keptGenerations = 3;

const keepByHash = async (from: string, to: string): Promise<void> => {
  // Two generations at most: what the one before kept of its own past is older than any reader.
  for (const name of await readdir(from).catch(() => [])) {
    await link(join(from, name), join(to, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
};

export const openArchive = async (options: ArchiveOptions): Promise<Archive> => {
  const { folder, suite = 'local' } = options;
  const publicFolder = join(folder, 'public');
  const pool = join(publicFolder, 'pool');
  const generations = join(publicFolder, 'generations');
  await mkdir(pool, { recursive: true });
  await mkdir(generations, { recursive: true });
  const lock = join(folder, 'lock');
  const key = await withLock(lock, () => openSigningKey(join(folder, 'key.asc')));

  const putIntoPool = async (path: string, group: string): Promise<void> => {
    const target = join(pool, group, basename(path));
    await mkdir(dirname(target), { recursive: true });
    const there = await stat(target).catch(() => null);
    if (there) {
      if ((await sha256OfFile(target)) === (await sha256OfFile(path))) return;
      throw new Problem(
        'conflict',
        `${basename(path)} is in the archive with other bytes`,
        'A published name never changes its bytes: give the package a new version.',
      );
    }
    const partial = `${target}.partial-${process.pid}`;
    await cp(path, partial);
    await rename(partial, target);
  };

  const scan = async (tool: 'dpkg-scansources' | 'dpkg-scanpackages', args: string[]): Promise<Buffer> => {
    await ensureTool('dpkg-scansources');
    const { code, stdout, stderr } = await runCommand(tool, [...args, 'pool'], { cwd: publicFolder });
    if (code !== 0) throw new Problem('invalid-archive', `${tool}: ${stderr.trim().slice(-1_000)}`);
    return Buffer.from(stdout);
  };

  const makeIndexes = async (): Promise<IndexFile[]> => {
    const sources = await scan('dpkg-scansources', []);
    const indexes: IndexFile[] = [{ path: 'main/source/Sources', content: sources }];
    for (const name of architectures) {
      const content = await scan('dpkg-scanpackages', ['--multiversion', '--arch', name]);
      indexes.push({ path: `main/binary-${name}/Packages`, content });
    }
    return indexes;
  };

  /** Folder names of generations, oldest first. */
  const listGenerations = async (): Promise<string[]> =>
    (await readdir(generations)).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));

  const publish = async (): Promise<void> => {
    const indexes = await makeIndexes();
    const text = releaseText(suite, architectures, indexes, new Date());
    const before = await listGenerations();
    const last = before.at(-1);
    const name = String(Number(last ?? 0) + 1);
    const partial = join(generations, `partial-${process.pid}`);
    await rm(partial, { recursive: true, force: true });
    const dist = join(partial, suite);
    for (const { path, content } of indexes) {
      const byHash = join(dist, dirname(path), 'by-hash/SHA256');
      await mkdir(byHash, { recursive: true });
      await writeFile(join(dist, path), content);
      await link(join(dist, path), join(byHash, sha256Of(content)));
      if (last) await keepByHash(join(generations, last, suite, dirname(path), 'by-hash/SHA256'), byHash);
    }
    await writeFile(join(dist, 'InRelease'), await key.clearSign(text));
    await rename(partial, join(generations, name));
    const next = join(publicFolder, `.dists-${process.pid}`);
    await rm(next, { force: true });
    await symlink(`generations/${name}`, next);
    await rename(next, join(publicFolder, 'dists'));
    for (const old of before.slice(0, -keptGenerations)) {
      await rm(join(generations, old), { recursive: true, force: true });
    }
  };

  return {
    publicFolder,
    fingerprint: key.fingerprint,
    publicKeyArmored: key.publicKeyArmored,

    addSource: (dsc) =>
      withLock(lock, async () => {
        const { source, files } = await checkDscFiles(dsc);
        // The .dsc last: what an index may name is whole.
        for (const file of files) await putIntoPool(join(dirname(dsc), file.name), source);
        await putIntoPool(dsc, source);
      }),

    addBinary: (deb) =>
      withLock(lock, async () => {
        const { code, stdout, stderr } = await runCommand('dpkg-deb', ['--field', deb, 'Package', 'Source']);
        const source = /^Source: (\S+)/m.exec(stdout)?.[1] ?? /^Package: (\S+)/m.exec(stdout)?.[1];
        if (code !== 0 || !source) throw new Problem('invalid-archive', `${deb}: ${stderr.trim()}`);
        await putIntoPool(deb, source);
      }),

    publish: () => withLock(lock, publish),

    sources: (uri = pathToFileURL(publicFolder).href) =>
      printStanza([
        ['Types', 'deb deb-src'],
        ['URIs', uri],
        ['Suites', suite],
        ['Components', 'main'],
        ['Signed-By', `\n${key.publicKeyArmored.trimEnd()}`],
      ]),
  };
};
