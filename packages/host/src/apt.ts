// apt in a private state folder, as any user, signatures checked as always: what every program of the farm reads Debian's
// archives with. One folder is one suite's state; several processes may use it at once.
//
//   openApt ─► update ─► releases, sourceIndexes, candidates ─► fetchSource, fetchBinary ─► unpackDeb
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { type Candidate, readCandidates } from './apt/candidate.ts';
import { configurationText, type Layout, layoutOf, machineLines } from './apt/configuration.ts';
import { checkDscFiles } from './apt/dsc.ts';
import { fileFault, indexFault } from './apt/fault.ts';
import { type Release, readRelease, releaseOf } from './apt/release.ts';
import { checkedSources, machineSources, type SourceKind } from './apt/sources.ts';
import { type CommandResult, runCommand } from './command.ts';
import { withLock } from './file-lock.ts';
import { replaceFile } from './replace-file.ts';

export type { Candidate } from './apt/candidate.ts';
export type { Release } from './apt/release.ts';
export { machineSources } from './apt/sources.ts';

export interface AptOptions {
  /** Of this suite alone; made where absent. */
  stateFolder: string;
  /** `.sources` text (deb822, key inline); the machine's own archives where absent. */
  sources?: string;
  /** Which lists are fetched; both where absent. */
  kinds?: readonly SourceKind[];
}

export interface SourceIndex {
  /** The Sources file, uncompressed. */
  path: string;
  /** The signed Release that names it. */
  release: Release;
}

export interface FetchedSource {
  dsc: string;
  /** All files of the package, the .dsc first: absolute paths. */
  files: string[];
}

export interface Apt {
  /** Renews the lists. Whether anything changed. Problems: invalid-index, network-unreachable; the old lists stay. */
  update(signal?: AbortSignal): Promise<{ changed: boolean }>;
  /**
   * As update, for fetching: an archive out of reach is no fault while the lists held have what is asked for. Where they lack
   * it, the Problem of the refresh is thrown instead of `not-found`, so that nobody is blamed for a broken network.
   */
  refresh(signal?: AbortSignal): Promise<void>;
  /** What to throw where the held lists lack something: the given `not-found`, or why the lists are not fresh. */
  missing(notFound: Problem): Problem;
  /** The signed Release files now held, in the order of the sources. Empty before the first update. */
  releases(): Promise<Release[]>;
  /** The Sources indexes now held, each with the Release that names it. */
  sourceIndexes(): Promise<SourceIndex[]>;
  /** Versions of a binary package, highest first. Empty where the suite has none. */
  candidates(packageName: string): Promise<Candidate[]>;
  /** The packages, installed here or not, and what apt would install on this machine beside them. */
  missingHere(packages: readonly string[]): Promise<{ packageName: string; version: string }[]>;
  /** Fetches a source package; digests are checked against the signed index and the .dsc. Problems: data-wait, digest-mismatch, not-found, network-unreachable. */
  fetchSource(name: string, version: string, folder: string, signal?: AbortSignal): Promise<FetchedSource>;
  /** Fetches a binary package (the candidate where no version is given); the path of its .deb. Problems as fetchSource. */
  fetchBinary(
    packageName: string,
    version: string | null,
    folder: string,
    signal?: AbortSignal,
  ): Promise<string>;
}

/** Names and versions go into argv of apt-get: nothing else may pass (Policy 5.6.1, 5.6.12). */
const requireName = (name: string): void => {
  if (!/^[a-z0-9][a-z0-9+.-]{0,127}$/.test(name))
    throw new Problem('invalid-request', `${name} is no package name`);
};
const requireVersion = (version: string): void => {
  if (!/^[0-9A-Za-z][0-9A-Za-z.+:~-]{0,127}$/.test(version)) {
    throw new Problem('invalid-request', `${version} is no version`);
  }
};

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

export const openApt = async (options: AptOptions): Promise<Apt> => {
  const kinds = options.kinds ?? ['deb', 'deb-src'];
  const layout: Layout = layoutOf(options.stateFolder);
  for (const folder of [
    join(layout.lists, 'partial'),
    join(layout.archives, 'partial'),
    join(layout.stateFolder, 'etc'),
    join(layout.stateFolder, 'log'),
    layout.temporary,
  ]) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
  }
  const text = checkedSources(options.sources ?? machineSources(), kinds);
  await replaceFile(layout.configuration, configurationText(layout, await machineLines()));
  await replaceFile(layout.status, '');
  await replaceFile(layout.sourceList, text);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    APT_CONFIG: layout.configuration,
    LC_ALL: 'C',
    TMPDIR: layout.temporary,
  };

  const run = (
    tool: string,
    args: string[],
    more: { cwd?: string; signal?: AbortSignal } = {},
  ): Promise<CommandResult> => runCommand(tool, args, { env, ...more });

  const releaseFiles = async (): Promise<string[]> => {
    const names = (await readdir(layout.lists)).filter((name) => /_(InRelease|Release)$/.test(name));
    return names.sort().map((name) => join(layout.lists, name));
  };
  const stateOfLists = async (): Promise<string> =>
    digestOf((await Promise.all((await releaseFiles()).map((path) => readFile(path, 'latin1')))).join('\0'));
  const shared = <T>(work: () => Promise<T>): Promise<T> => withLock(layout.lock, work, { shared: true });

  /** Runs a download in a folder of its own, then moves what came: a half download is never seen. */
  const download = async (folder: string, args: string[], signal?: AbortSignal): Promise<string[]> => {
    await mkdir(folder, { recursive: true });
    const partial = join(folder, `.partial-${process.pid}-${Math.random().toString(36).slice(2)}`);
    await mkdir(partial);
    try {
      const { code, stderr } = await shared(() => run('apt-get', args, { cwd: partial, signal }));
      if (code !== 0) throw fileFault(stderr);
      const names = (await readdir(partial)).sort();
      for (const name of names) await rename(join(partial, name), join(folder, name));
      return names.map((name) => join(folder, name));
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  };

  /** Why the lists are not fresh; null after an update that went well. */
  let staleness: Problem | null = null;
  const missing = (error: unknown): unknown =>
    error instanceof Problem && error.code === 'not-found' && staleness ? staleness : error;

  const update = (signal?: AbortSignal): Promise<{ changed: boolean }> =>
    withLock(layout.lock, async () => {
      const before = await stateOfLists();
      const { code, stderr } = await run('apt-get', ['update', '-q'], { signal });
      for (const left of await readdir(layout.temporary)) {
        await rm(join(layout.temporary, left), { recursive: true, force: true });
      }
      staleness = code === 0 ? null : indexFault(stderr);
      if (staleness) throw staleness;
      return { changed: (await stateOfLists()) !== before };
    });

  return {
    update,
    missing: (notFound) => staleness ?? notFound,

    refresh: async (signal) => {
      await update(signal).catch((error: unknown) => {
        if (!(error instanceof Problem) || error.code !== 'network-unreachable') throw error;
      });
    },

    releases: () => shared(async () => await Promise.all((await releaseFiles()).map(readRelease))),

    sourceIndexes: () =>
      shared(async () => {
        const releases = await Promise.all((await releaseFiles()).map(readRelease));
        const format = '$(CREATED_BY) $(FILENAME)';
        const { code, stdout, stderr } = await run('apt-get', ['indextargets', '--format', format]);
        if (code !== 0) throw indexFault(stderr);
        const found: SourceIndex[] = [];
        for (const line of stdout.split('\n')) {
          if (!line.startsWith('Sources ')) continue;
          const path = line.slice('Sources '.length);
          const release = releaseOf(releases, path);
          if (!release) throw new Problem('invalid-index', `no signed Release stands for ${basename(path)}`);
          found.push({ path, release });
        }
        return found;
      }),

    candidates: (packageName) =>
      shared(async () => {
        requireName(packageName);
        const { code, stdout, stderr } = await run('apt-cache', ['show', '--all-versions', packageName]);
        if (code !== 0 && !/No packages found|Unable to locate package/.test(stderr))
          throw indexFault(stderr);
        const found = code === 0 ? readCandidates(stdout, packageName) : [];
        if (found.length === 0 && staleness) throw staleness;
        return found;
      }),

    missingHere: (packages) =>
      shared(async () => {
        packages.forEach(requireName);
        const status = 'Dir::State::status=/var/lib/dpkg/status';
        const args = ['-s', '-o', status, 'install', '--reinstall', ...packages];
        const { code, stdout, stderr } = await run('apt-get', args);
        if (code !== 0) throw fileFault(stderr);
        return [...stdout.matchAll(/^Inst ([a-z0-9+.-]+)(?::\w+)? (?:\[[^\]]*\] )?\((\S+) /gm)].map(
          ([, name, version]) => ({ packageName: name!, version: version! }),
        );
      }),

    fetchSource: async (name, version, folder, signal) => {
      requireName(name);
      requireVersion(version);
      const args = ['source', '-q', '--download-only', '--only-source', `${name}=${version}`];
      const files = await download(folder, args, signal).catch((error) => {
        throw missing(error);
      });
      const dsc = files.find((path) => path.endsWith('.dsc'));
      if (!dsc) throw new Problem('not-found', `no .dsc came for ${name} ${version}`);
      const said = await checkDscFiles(dsc);
      if (said.source !== name || said.version !== version) {
        throw new Problem(
          'invalid-archive',
          `${basename(dsc)} is ${said.source} ${said.version}, not ${name} ${version}`,
        );
      }
      return { dsc, files: [dsc, ...files.filter((path) => path !== dsc)] };
    },

    fetchBinary: async (packageName, version, folder, signal) => {
      requireName(packageName);
      if (version !== null) requireVersion(version);
      const wish = version === null ? packageName : `${packageName}=${version}`;
      const files = await download(folder, ['download', '-q', wish], signal).catch((error) => {
        throw missing(error);
      });
      const deb = files.find((path) => path.endsWith('.deb'));
      if (!deb) throw new Problem('not-found', `no .deb came for ${wish}`);
      return deb;
    },
  };
};
