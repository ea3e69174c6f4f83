// Tools of Debian that a person should not have to think about. Root: installed through apt, said in one line. Others:
// the few that work from any folder are unpacked into the user's cache through the private apt; for the rest the line to
// type is printed. A package whose installation would start a service is unpacked for root too: a farm starts its own.
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { runCommand } from './command.ts';
import { unpackedTool } from './debian-tools/unpacked.ts';
import { withLock } from './file-lock.ts';
import { markName } from './run-mark.ts';

interface Tool {
  /** The binary package that holds it. */
  packageName: string;
  /** Works from any folder: may be unpacked without root. */
  relocatable?: boolean;
  /** Unpacked with it even where the machine has it: the program is a link into it. */
  beside?: readonly string[];
  /** Its installation would start a daemon. */
  service?: boolean;
}

export const tools = {
  bwrap: { packageName: 'bubblewrap', relocatable: true },
  'redis-server': { packageName: 'redis-server', relocatable: true, beside: ['redis-tools'], service: true },
  make: { packageName: 'make' },
  gcc: { packageName: 'gcc' },
  git: { packageName: 'git' },
  ip: { packageName: 'iproute2' },
  chromium: { packageName: 'chromium' },
  mmdebstrap: { packageName: 'mmdebstrap' },
  'dpkg-source': { packageName: 'dpkg-dev' },
  'dpkg-scansources': { packageName: 'dpkg-dev' },
  'dpkg-buildpackage': { packageName: 'dpkg-dev' },
  xz: { packageName: 'xz-utils' },
} as const satisfies Record<string, Tool>;
export type ToolName = keyof typeof tools;

export interface ToolOptions {
  /** False: install nothing, say the line to type (`--no-install`). Where absent: unless RETRAIND_NO_INSTALL is set. */
  install?: boolean;
  /** Where private copies lie; $XDG_CACHE_HOME/retraind/tools where absent. */
  cacheFolder?: string;
  /** The search path; $PATH and the sbin folders where absent. */
  path?: string;
  say?: (line: string) => void;
}

const lockWait = 'DPkg::Lock::Timeout=600';

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** The absolute path of a program, or null. Without a path of its own: $PATH, and the folders that it often lacks. */
export const findProgram = (name: string, path?: string): string | null => {
  const search = path ?? `${process.env.PATH ?? ''}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`;
  const folder = search.split(delimiter).find((at) => at.startsWith('/') && isProgram(join(at, name)));
  return folder ? join(folder, name) : null;
};

const listsAreEmpty = (): boolean => {
  const lists = '/var/lib/apt/lists';
  return !existsSync(lists) || !readdirSync(lists).some((name) => /_Packages(\.\w+)?$/.test(name));
};

const typeThis = (packages: readonly string[]): string =>
  `Type: sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;

/** Without the mark of a worker: an installation that has begun is not ended with it, or dpkg is left half configured. */
export const aptEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  [markName]: undefined,
  DEBIAN_FRONTEND: 'noninteractive',
  LC_ALL: 'C.UTF-8',
});

/** `apt-get update` has no lock timeout of its own: our own lock orders the farm's programs, a retry meets the machine's. */
const updateLists = async (): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    const { code, stderr } = await runCommand('apt-get', ['update'], { env: aptEnvironment() });
    if (code === 0) return;
    if (attempt === 5 || !/Could not get lock|Unable to lock/.test(stderr)) {
      throw new Problem('tool-missing', `apt-get update fails: ${stderr.trim().split('\n').at(-1)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000 * attempt));
  }
};

/** Installs packages with the machine's apt, as root, having said so. */
export const installPackages = async (
  packages: readonly string[],
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<void> => {
  await withLock('/run/retraind-apt.lock', async () => {
    const empty = listsAreEmpty();
    const line = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
    say(`retraind: installing what is missing: ${empty ? 'apt-get update && ' : ''}${line}`);
    if (empty) await updateLists();
    const args = ['install', '-y', '--no-install-recommends', '-o', lockWait, ...packages];
    let result = await runCommand('apt-get', args, { env: aptEnvironment() });
    // Old lists name files that the mirror no longer has.
    if (result.code !== 0 && /404 {2}Not Found|Unable to locate package|is no longer/.test(result.stderr)) {
      await updateLists();
      result = await runCommand('apt-get', args, { env: aptEnvironment() });
    }
    if (result.code !== 0) {
      const reason = result.stderr.split('\n').find((text) => text.startsWith('E:')) ?? result.stderr.trim();
      throw new Problem(
        'tool-missing',
        `cannot install ${packages.join(', ')}: ${reason}`,
        typeThis(packages),
      );
    }
  });
};

const provide = async (name: ToolName, options: ToolOptions): Promise<string> => {
  const found = findProgram(name, options.path);
  if (found) return found;
  const tool: Tool = tools[name];
  const install = options.install ?? !process.env.RETRAIND_NO_INSTALL;
  const say = options.say ?? ((line: string) => process.stderr.write(`${line}\n`));
  const mayUnpack = tool.relocatable === true;
  const root = process.getuid?.() === 0;
  if (!install) {
    throw new Problem('tool-missing', `${name} is not on this machine`, typeThis([tool.packageName]));
  }
  if (root && !tool.service) {
    await installPackages([tool.packageName], say);
  } else if (mayUnpack) {
    const packages = [tool.packageName, ...(tool.beside ?? [])] as const;
    const launcher = await unpackedTool(name, packages, { cacheFolder: options.cacheFolder, say });
    // This program and those that it starts find it by name from now on.
    process.env.PATH = `${dirname(launcher)}${delimiter}${process.env.PATH ?? ''}`;
    return launcher;
  } else {
    throw new Problem(
      'tool-missing',
      `${name} is not on this machine, and only root may install it`,
      typeThis([tool.packageName]),
    );
  }
  const installed = findProgram(name, options.path);
  if (!installed) throw new Problem('tool-missing', `${tool.packageName} is installed but has no ${name}`);
  return installed;
};

const provided = new Map<ToolName, Promise<string>>();

/** The absolute path of a tool, which is installed first where it is missing and may be. Problem `tool-missing` otherwise. */
export const ensureTool = (name: ToolName, options: ToolOptions = {}): Promise<string> => {
  // Options are for tests and for --no-install; only the plain wish is remembered.
  if (Object.keys(options).length > 0) return provide(name, options);
  const known = provided.get(name);
  if (known) return known;
  const path = provide(name, options);
  provided.set(name, path);
  path.catch(() => provided.delete(name));
  return path;
};

/** As `ensureTool`, one after the other: what root installs, it installs in few steps. */
export const ensureTools = async (names: readonly ToolName[], options: ToolOptions = {}): Promise<void> => {
  const missing = names.filter((name) => !findProgram(name, options.path));
  const plain = missing.filter((name) => !(tools[name] as Tool).service);
  if (process.getuid?.() === 0 && plain.length > 1 && (options.install ?? !process.env.RETRAIND_NO_INSTALL)) {
    await installPackages([...new Set(plain.map((name) => tools[name].packageName))], options.say);
  }
  for (const name of missing) await ensureTool(name, options);
};
