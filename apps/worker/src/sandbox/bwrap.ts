// bubblewrap over the host's system folders: own user or namespaces, no network, no homes, nothing of the farm in sight.
// Tainted `host-root`: the toolchain is whatever this machine has installed.
//
// As root the program runs as uid 65534 in real namespaces (a user namespace would map it to root, and the kernel lets
// the real root's id write sysctls even without capabilities); otherwise in a user namespace.
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ensureTool } from '@retraind/host/debian-tools';
import { markName } from '@retraind/host/run-mark';
import { Problem } from '@retraind/shared/wire/problems';
import { type Keeper, newMark } from './keeper.ts';
import type { Command, DeviceNode, Ending, Mount, Sandbox } from './sandbox.ts';
import { watch } from './watch.ts';

const run = promisify(execFile);

/** Who the program is inside. 65534 owns no file of a Debian system. */
export const sandboxUser = 65534;

const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Of /etc only what programs need to start; no host names, no keys, no mirrors. */
const configuration = [
  'alternatives',
  'debian_version',
  'dpkg',
  'fonts',
  'java',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'magic',
  'mime.types',
  'os-release',
  'perl',
  'protocols',
  'python3',
  'services',
  'texmf',
];

const passwd = `root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nretrain:x:${sandboxUser}:${sandboxUser}:retrain:/build/home:/bin/sh\n`;
const group = `root:x:0:\nretrain:x:${sandboxUser}:\n`;
const tmpfsLimitBytes = 2 ** 31;

type Privilege = 'drop' | 'userns';

const privilegeArguments: Record<Privilege, string[]> = {
  drop: [
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...[
      '--cap-drop',
      'ALL',
      '--cap-add',
      'CAP_SETUID',
      '--cap-add',
      'CAP_SETGID',
      '--cap-add',
      'CAP_SETPCAP',
    ],
  ],
  userns: ['--unshare-all', '--uid', String(sandboxUser), '--gid', String(sandboxUser), '--cap-drop', 'ALL'],
};

/** Of all groups the program keeps those that may open its devices (`render` of /dev/dri and /dev/kfd), and no other. */
const dropArguments = (groups: readonly number[]): string[] => [
  '/usr/bin/setpriv',
  `--reuid=${sandboxUser}`,
  `--regid=${sandboxUser}`,
  groups.length > 0 ? `--groups=${groups.join(',')}` : '--clear-groups',
  ...['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'],
];

/** Groups that a device file gives more to than to everybody. Never root's. */
const groupsOf = (devices: readonly DeviceNode[]): number[] => [
  ...new Set(
    devices.flatMap(({ source }) => {
      const { mode, gid } = statSync(source);
      return (mode & 0o006) !== 0o006 && (mode & 0o060) !== 0 && gid !== 0 ? [gid] : [];
    }),
  ),
];

/** Device files in the fresh /dev, which has no device of the machine but null, zero, full, random, urandom and tty. */
const deviceArguments = (devices: readonly DeviceNode[]): string[] =>
  devices.flatMap(({ source, target }) => {
    if (!target.startsWith('/dev/') || !lstatSync(source).isCharacterDevice()) {
      throw new Problem('device-fault', `${source} is no device file that could be shown as ${target}.`);
    }
    const folders = dirname(target) === '/dev' ? [] : ['--perms', '0755', '--dir', dirname(target)];
    return [...folders, '--dev-bind', source, target];
  });

const systemArguments = (): string[] => {
  const given: string[] = [];
  for (const folder of systemFolders) {
    if (!existsSync(folder)) continue;
    if (lstatSync(folder).isSymbolicLink()) given.push('--symlink', readlinkSync(folder), folder);
    else given.push('--ro-bind', folder, folder);
  }
  for (const name of configuration) {
    if (existsSync(`/etc/${name}`)) given.push('--ro-bind', `/etc/${name}`, `/etc/${name}`);
  }
  // The package database describes /usr; without it dpkg-query and debhelper know no package.
  if (existsSync('/var/lib/dpkg')) given.push('--ro-bind', '/var/lib/dpkg', '/var/lib/dpkg');
  // Software that no package brought would make the result this machine's own.
  if (existsSync('/usr/local')) given.push('--tmpfs', '/usr/local');
  return given;
};

/** Hidden behind an empty file; /dev/null would do but for `nodev`. */
const hiddenArguments = (hidden: readonly string[], empty: string): string[] =>
  hidden.flatMap((path) => {
    if (!existsSync(path)) return [];
    const real = realpathSync(path);
    return lstatSync(real).isDirectory() ? ['--tmpfs', real] : ['--ro-bind', empty, real];
  });

/** bubblewrap makes missing parents with mode 0700: made here first, so that an unprivileged program may pass. */
const parentArguments = (targets: readonly string[]): string[] => {
  const parents = new Set<string>();
  for (const target of targets) {
    for (let parent = dirname(target); parent !== '/'; parent = dirname(parent)) parents.add(parent);
  }
  return [...parents].sort().flatMap((parent) => ['--perms', '0755', '--dir', parent]);
};

const bwrapArguments = (command: Command, privilege: Privilege, accounts: string): string[] => {
  const tmpfs = String(Math.min(command.limits.memoryBytes, tmpfsLimitBytes));
  return [
    ...privilegeArguments[privilege],
    ...['--die-with-parent', '--new-session', '--hostname', 'retrain', '--unsetenv', markName],
    ...parentArguments(['/etc/x', '/var/lib/x', ...command.mounts.map((mount) => mount.target)]),
    ...systemArguments(),
    ...[
      '--ro-bind',
      join(accounts, 'passwd'),
      '/etc/passwd',
      '--ro-bind',
      join(accounts, 'group'),
      '/etc/group',
    ],
    ...['--ro-bind', join(accounts, 'hosts'), '/etc/hosts'],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--perms', '1777', '--size', tmpfs, '--tmpfs', '/dev/shm'],
    ...deviceArguments(command.devices ?? []),
    ...['--remount-ro', '/dev'],
    ...[
      '--perms',
      '1777',
      '--size',
      tmpfs,
      '--tmpfs',
      '/tmp',
      '--symlink',
      '../tmp',
      '/var/tmp',
      '--dir',
      '/run',
    ],
    ...command.mounts.flatMap((mount) => [
      mount.writable ? '--bind' : '--ro-bind',
      mount.source,
      mount.target,
    ]),
    ...hiddenArguments(command.hidden, join(accounts, 'empty')),
    // Else a program in a user namespace owns the root and fills memory with it.
    ...['--remount-ro', '/', '--chdir', command.cwd, '--'],
    ...(privilege === 'drop' ? dropArguments(groupsOf(command.devices ?? [])) : []),
    ...command.argv,
  ];
};

/** Gives a writable folder to the user of the sandbox. */
const giveAway = async (folders: readonly string[]): Promise<void> => {
  if (folders.length === 0) return;
  await run('chown', ['--recursive', '--no-dereference', `${sandboxUser}:${sandboxUser}`, '--', ...folders]);
};

const unavailable = (program: string, detail: string): Problem =>
  new Problem(
    'sandbox-unavailable',
    `bubblewrap (${program}) cannot make a sandbox here: ${detail}`,
    'Install it (apt-get install bubblewrap) and allow namespaces (sysctl kernel.unprivileged_userns_clone=1; in a container --privileged or a seccomp profile that allows unshare and mount), or accept records tainted "unsandboxed" with --no-sandbox.',
  );

/** The program: the path that was given, else what the machine has or may install (host/debian-tools). */
const provideProgram = async (path: string | null): Promise<string> => {
  if (path !== null && existsSync(path)) return path;
  if (path !== null) throw unavailable(path, 'the program is not there');
  return await ensureTool('bwrap').catch((error: Error) => {
    throw unavailable('bwrap', error.message);
  });
};

/** The sandbox that production uses. `path` of the program; null: where the machine has it. */
export const bwrap = (path: string | null, keeper: () => Keeper): Sandbox => {
  let found: { program: string; privilege: Privilege; accounts: string } | undefined;

  const attempt = async (program: string, privilege: Privilege): Promise<string | null> => {
    const trial = [
      ...privilegeArguments[privilege],
      ...[
        '--die-with-parent',
        ...systemArguments(),
        '--proc',
        '/proc',
        '--dev',
        '/dev',
        '--remount-ro',
        '/',
        '--',
      ],
      ...(privilege === 'drop' ? dropArguments([]) : []),
      '/bin/true',
    ];
    try {
      const env = { ...process.env, [markName]: newMark(keeper()) };
      await run(program, trial, { timeout: 20_000, killSignal: 'SIGKILL', env });
      return null;
    } catch (error) {
      const said = String((error as { stderr?: string }).stderr ?? '').trim();
      return said.split('\n').at(-1) || (error as Error).message;
    }
  };

  const prepare = async () => {
    if (found) return found;
    const program = await provideProgram(path);
    let refusal = '';
    for (const privilege of process.geteuid?.() === 0
      ? (['drop', 'userns'] as const)
      : (['userns'] as const)) {
      const fault = await attempt(program, privilege);
      if (fault !== null) {
        refusal = fault;
        continue;
      }
      const accounts = keeper().folder;
      writeFileSync(join(accounts, 'passwd'), passwd, { mode: 0o644 });
      writeFileSync(join(accounts, 'group'), group, { mode: 0o644 });
      writeFileSync(join(accounts, 'hosts'), '127.0.0.1 localhost retrain\n', { mode: 0o644 });
      writeFileSync(join(accounts, 'empty'), '', { mode: 0o644 });
      found = { program, privilege, accounts };
      return found;
    }
    throw unavailable(program, refusal);
  };

  return {
    name: 'bwrap',
    taints: ['host-root'],
    confines: true,
    async check() {
      await prepare();
    },
    pathInside: (mount: Mount) => mount.target,
    async run(command: Command): Promise<Ending> {
      const { program, privilege, accounts } = await prepare();
      const writable = command.mounts.filter((mount) => mount.writable).map((mount) => mount.source);
      if (privilege === 'drop') await giveAway(writable);
      return watch(command, {
        argv: [program, ...bwrapArguments(command, privilege, accounts)],
        env: command.env,
        cwd: '/',
        keeper: keeper(),
      });
    },
  };
};
