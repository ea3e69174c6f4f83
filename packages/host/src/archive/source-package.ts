// Builds a Debian source package (3.0 (quilt)) from a plain source tree such as those in examples/: everything outside
// debian/ is the orig tarball, debian/ the rest. The same tree and version give the same bytes: sorted entries, owner 0,
// times from the changelog, so that a digest can be told to others (https://reproducible-builds.org/docs/archives/).
import { createWriteStream } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Problem } from '@retraind/shared/wire/problems';
import { pack } from 'tar-stream';
import { runCommand } from '../command.ts';
import { ensureTool } from '../debian-tools.ts';

export interface SourcePackageOptions {
  /** The tree, e.g. examples/clothes. It is only read. */
  folder: string;
  /** Folder that receives the files; it must exist. */
  out: string;
  /** A changelog entry to put on top first: another Debian revision of the same upstream version. */
  release?: { version: string; change: string };
}

export interface SourcePackage {
  source: string;
  version: string;
  /** Paths in `out`. */
  dsc: string;
  orig: string;
  debian: string;
}

interface Entry {
  source: string;
  version: string;
  maintainer: string;
  /** Seconds since 1970. */
  at: number;
}

/** The entries' heads and trailers of a debian/changelog, newest first (Policy 4.4). */
function changelogEntries(text: string): Entry[] {
  const heads = [...text.matchAll(/^([a-z0-9][a-z0-9+.-]+) \(([^)\s]+)\) /gm)];
  const trailers = [...text.matchAll(/^ -- (.+?) {2}(.+)$/gm)];
  return heads.map(([, source, version], index) => ({
    source: source!,
    version: version!,
    maintainer: trailers[index]?.[1] ?? '',
    at: Date.parse(trailers[index]?.[2] ?? '') / 1000,
  }));
}

const upstreamOf = (version: string): string => version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');

/** Problem `invalid-archive` where the tree is no source package, or dpkg-source refuses it; `tool-missing` without dpkg-dev. */
export const buildSourcePackage = async (options: SourcePackageOptions): Promise<SourcePackage> => {
  const { folder, out, release } = options;
  const changelog = await readFile(join(folder, 'debian/changelog'), 'utf8').catch((cause) => {
    throw new Problem('invalid-archive', `${folder} has no debian/changelog`, 'Name a source tree.', {
      cause,
    });
  });
  const entries = changelogEntries(changelog);
  const newest = entries[0];
  if (!newest || entries.some(({ at }) => Number.isNaN(at))) {
    throw new Problem(
      'invalid-archive',
      `${folder}/debian/changelog cannot be read`,
      'See deb-changelog(5).',
    );
  }
  const { source } = newest;
  const version = release?.version ?? newest.version;
  const upstream = upstreamOf(version);
  // The orig tarball belongs to the upstream version: every Debian revision of it must give the same bytes.
  const origin = entries.findLast((entry) => upstreamOf(entry.version) === upstream);
  if (!origin) {
    throw new Problem(
      'invalid-archive',
      `${version} is of another upstream version than ${folder}`,
      'Change the tree.',
    );
  }
  const epoch = release ? newest.at + 86_400 : newest.at;
  const dpkgSource = await ensureTool('dpkg-source');
  const work = await mkdtemp(join(tmpdir(), 'retraind-source-'));
  try {
    const tree = join(work, `${source}-${upstream}`);
    const orig = `${source}_${upstream}.orig.tar.gz`;
    await copyTree(folder, tree, origin.at);
    await packOrig(tree, `${source}-${upstream}`, join(work, orig), origin.at);
    if (release) {
      const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
      const stanza = `${source} (${version}) unstable; urgency=medium\n\n  * ${release.change}\n\n -- ${newest.maintainer}  ${date}\n\n`;
      await writeFile(join(tree, 'debian/changelog'), stanza + changelog);
    }
    const { code, stderr } = await runCommand(dpkgSource, ['--build', basename(tree)], {
      cwd: work,
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC', SOURCE_DATE_EPOCH: String(epoch) },
    });
    if (code !== 0) {
      throw new Problem(
        'invalid-archive',
        `dpkg-source refuses ${folder}: ${stderr.trim()}`,
        'Mend the tree.',
      );
    }
    const file = version.replace(/^\d+:/, '');
    const names = { dsc: `${source}_${file}.dsc`, orig, debian: `${source}_${file}.debian.tar.xz` };
    // The .dsc last: whoever sees it finds the files that it names.
    for (const name of [names.orig, names.debian, names.dsc]) {
      await copyFile(join(work, name), join(out, `.${name}.part`));
      await rename(join(out, `.${name}.part`), join(out, name));
    }
    return {
      source,
      version,
      dsc: join(out, names.dsc),
      orig: join(out, orig),
      debian: join(out, names.debian),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
};

/** A copy with plain modes and one time, whatever umask and checkout gave the tree. */
async function copyTree(from: string, to: string, at: number): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target, at);
    else if (entry.isFile()) {
      await copyFile(source, target);
      await chmod(target, (await stat(source)).mode & 0o100 ? 0o755 : 0o644);
      await utimes(target, at, at);
    } else {
      throw new Problem(
        'invalid-archive',
        `${source} is neither file nor folder`,
        'Take links out of the tree.',
      );
    }
  }
  await chmod(to, 0o755);
  await utimes(to, at, at);
}

async function packOrig(tree: string, prefix: string, path: string, at: number): Promise<void> {
  const tar = pack();
  const common = { mtime: new Date(at * 1000), uid: 0, gid: 0, uname: 'root', gname: 'root' };
  const add = async (folder: string, name: string): Promise<void> => {
    tar.entry({ ...common, name: `${name}/`, type: 'directory', mode: 0o755 });
    for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (folder === tree && entry.name === 'debian') continue;
      const source = join(folder, entry.name);
      if (entry.isDirectory()) await add(source, `${name}/${entry.name}`);
      else {
        const { mode } = await stat(source);
        const bytes = await readFile(source);
        tar.entry({ ...common, name: `${name}/${entry.name}`, mode: mode & 0o777 }, bytes);
      }
    }
  };
  // Node's gzip writes no name and no time into its header.
  const written = pipeline(tar, createGzip({ level: 9 }), createWriteStream(path));
  await add(tree, prefix);
  tar.finalize();
  await written;
}
