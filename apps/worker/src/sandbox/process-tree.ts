// The processes below one process, and what memory they hold, from /proc. Linux only.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

const parentOf = async (pid: number): Promise<number | null> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command name, in parentheses, may hold spaces and parentheses: count from the last one (proc(5)).
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
};

const allProcesses = async (): Promise<number[]> =>
  (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);

/** Children as the kernel lists them; a process that ended meanwhile has none. */
const listedChildren = async (pid: number): Promise<number[]> => {
  const found: number[] = [];
  let threads: string[];
  try {
    threads = await readdir(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  for (const thread of threads) {
    try {
      const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8');
      found.push(...children.split(' ').filter(Boolean).map(Number));
    } catch {
      // The thread ended meanwhile.
    }
  }
  return found;
};

/** CONFIG_PROC_CHILDREN: Debian's kernels have it. */
const kernelLists = existsSync(`/proc/self/task/${process.pid}/children`);

/** The process and everything below it, at this moment. */
export const processTree = async (root: number): Promise<number[]> => {
  const found = [root];
  if (kernelLists) {
    for (let i = 0; i < found.length; i++) found.push(...(await listedChildren(found[i]!)));
    return found;
  }
  const children = new Map<number, number[]>();
  for (const pid of await allProcesses()) {
    const parent = await parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]!) ?? []));
  return found;
};

/** Private and shared-memory pages of these processes, in bytes. Pages of files (libraries) are not counted. */
export const memoryOf = async (pids: readonly number[]): Promise<number> => {
  let bytes = 0;
  for (const pid of pids) {
    try {
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      for (const [, kibibytes] of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB/gm))
        bytes += Number(kibibytes) * 1024;
    } catch {
      // It ended meanwhile.
    }
  }
  return bytes;
};

/** Processes that were started with a variable `NAME=value…`: finds children that left their group and their parent. */
export const processesMarked = async (mark: string): Promise<number[]> => {
  const found: number[] = [];
  for (const pid of await allProcesses()) {
    try {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1');
      if (environment.split('\0').some((entry) => entry.startsWith(mark))) found.push(pid);
    } catch {
      // Another user's, or ended meanwhile.
    }
  }
  return found;
};

/** Ends processes at once; one that ended meanwhile is none. */
export const killEach = (pids: readonly number[]): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
};

/** Asks processes to end (SIGTERM), but not the sandbox around them: its end would be theirs at once. */
export const askEach = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'bwrap') continue;
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It ended meanwhile.
    }
  }
};
