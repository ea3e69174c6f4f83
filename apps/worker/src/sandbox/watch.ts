// Starts a program and keeps it within its limits: the part that every sandbox shares. A sandbox says how to start it and
// how to kill everything below it.
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { markName } from '@retraind/host/run-mark';
import { Problem } from '@retraind/shared/wire/problems';
import { deletedBytes, diskUsage, freeBytes } from './disk-usage.ts';
import { type Keeper, newMark, sweepMarked } from './keeper.ts';
import { askEach, killEach, memoryOf, processTree } from './process-tree.ts';
import type { Command, Ending, EndReason } from './sandbox.ts';

const pollMilliseconds = 300;
const pollLongest = 5_000;
/** How long what a program said last is read after its end. */
const lingerMilliseconds = 3_000;
/** A tree of very many files is a denial of service even where it is small. */
const filesLimit = 2_000_000;

export interface Start {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Ends what is left of it should this process die. */
  keeper: Keeper;
}

const grownSince = async (paths: readonly string[], sizes: Map<string, number>): Promise<boolean> => {
  let grown = false;
  for (const path of paths) {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size !== (sizes.get(path) ?? 0)) grown = true;
    sizes.set(path, size);
  }
  return grown;
};

/** Looks again and again, at once when it is woken. Looking costs: what takes long is looked at less often, a twentieth of a core at most. */
const repeat = (look: () => Promise<void>): { wake: () => void; end: () => void } => {
  let going = true;
  let wake = (): void => {};
  void (async () => {
    while (going) {
      const before = performance.now();
      await look();
      const pause = Math.min(pollLongest, Math.max(pollMilliseconds, 20 * (performance.now() - before)));
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (going) setTimeout(resolve, pause).unref();
        else resolve();
      });
    }
  })();
  return {
    wake: () => wake(),
    end: () => {
      going = false;
      wake();
    },
  };
};

/** Runs until it ends or a limit ends it. Throws Problem `sandbox-unavailable` where it cannot be started. */
export const watch = async (command: Command, start: Start): Promise<Ending> => {
  const { limits } = command;
  const began = performance.now();
  const writable = command.mounts.filter((mount) => mount.writable).map((mount) => mount.source);
  const ending: Ending = {
    reason: 'exited',
    exitCode: null,
    signal: null,
    seconds: 0,
    logBytes: 0,
    peakMemoryBytes: 0,
    peakDiskBytes: 0,
  };
  if (command.signal.aborted) return { ...ending, reason: 'cancelled' };
  if (command.leave?.signal.aborted) return { ...ending, reason: 'left' };

  // The kernel ends it with this process (its main thread), and it looks that this process lives once that is asked for. One pipe
  // for both streams, so that their order is the program's own; RLIMIT_FSIZE, no core files, and being the first that the kernel ends
  // where the machine runs out of memory, are inherited.
  const fileBytes = Math.max(limits.diskBytes, 1 << 20);
  const wrapper = [
    ...['--pdeathsig', 'KILL', '--', '/bin/sh', '-c'],
    '[ "$PPID" = "$1" ] || exit 1; shift; echo 1000 > /proc/self/oom_score_adj; exec "$@" 2>&1',
    ...['sh', String(process.pid)],
    '/usr/bin/prlimit',
    `--fsize=${fileBytes}`,
    '--core=0',
    '--',
  ];
  const mark = newMark(start.keeper);
  const child = spawn('/usr/bin/setpriv', [...wrapper, ...start.argv], {
    cwd: start.cwd,
    env: { ...start.env, [markName]: mark },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const pid = child.pid;
  let over: EndReason | null = null;
  // What is killed may have started something at that moment that nothing but its mark ties to us any more (./keeper.ts): all
  // that is marked goes, or `close` would wait for it.
  const kill = async (root: number): Promise<void> => {
    killEach(await processTree(root));
    await sweepMarked(mark);
  };
  let killing = Promise.resolve();
  let sweeping: Promise<unknown> = Promise.resolve();
  let lastSign = performance.now();
  const stop = (reason: EndReason): void => {
    // Its number may be another's once it has ended.
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (over !== null || pid === undefined || hasEnded) return;
    over = reason;
    killing = kill(pid);
  };
  let leaving = false;
  let graceTimer: NodeJS.Timeout | undefined;
  let lingerTimer: NodeJS.Timeout | undefined;
  const onLeave = (): void => {
    if (leaving || over !== null || pid === undefined) return;
    leaving = true;
    graceTimer = setTimeout(() => stop('left'), command.leave!.graceSeconds() * 1_000);
    void processTree(pid).then(askEach);
  };
  const ended = new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      // Children that were left behind hold the pipe open: without the sweep `close` would wait for them. One that no sandbox confines
      // and that threw its mark away is not waited for.
      sweeping = sweepMarked(mark);
      void sweeping.then(() => {
        lingerTimer = setTimeout(() => child.stdout.destroy(), lingerMilliseconds).unref();
      });
      child.once('close', () => resolve([code, signal]));
    });
  });
  ended.catch(() => {});
  child.stdout.on('data', (chunk: Buffer) => {
    if (over === 'log-limit') return;
    lastSign = performance.now();
    const room = limits.logBytes - ending.logBytes;
    ending.logBytes += Math.min(chunk.length, room);
    command.onOutput(chunk.length > room ? chunk.subarray(0, room) : chunk);
    if (chunk.length > room) stop('log-limit');
  });
  const onAbort = () => stop('cancelled');
  command.signal.addEventListener('abort', onAbort, { once: true });
  command.leave?.signal.addEventListener('abort', onLeave, { once: true });

  /** When the folders were last looked at: what was free beside them, and what they held. */
  let freeThen: number[] = [];
  let bytesThen = 0;
  const sizes = new Map<string, number>();
  await grownSince(command.signsOfLife, sizes);
  // The clock stands for itself: a disk or a /proc that does not answer must not keep a program alive.
  let looking = false;
  const clock = setInterval(() => {
    if (leaving) return;
    if (performance.now() - began > limits.seconds * 1000) return stop('time-limit');
    if (looking) return;
    looking = true;
    void grownSince(command.signsOfLife, sizes).then(async (grown) => {
      if (grown) lastSign = performance.now();
      else if (performance.now() - lastSign > limits.silenceSeconds * 1000) stop('silence-limit');
      // The file system fills fast, by whomever: half of what is left to this program is gone since its folders were looked at.
      const room = limits.diskBytes - bytesThen;
      const free = await freeBytes(writable);
      if (freeThen.some((bytes, i) => bytes - free[i]! > room / 2)) disk.wake();
      looking = false;
    });
  }, pollMilliseconds);
  const treeNow = () => (pid === undefined ? Promise.resolve([]) : processTree(pid));
  const lookAtDisk = async (): Promise<void> => {
    freeThen = await freeBytes(writable);
    const usage = await diskUsage(writable);
    const deleted = await deletedBytes(await treeNow(), writable);
    bytesThen = usage.bytes + deleted;
    ending.peakDiskBytes = Math.max(ending.peakDiskBytes, bytesThen);
    const outputs = command.output ? await diskUsage([command.output.folder]) : null;
    if (outputs !== null && outputs.bytes > command.output!.bytes) stop('output-limit');
    else if (bytesThen > limits.diskBytes || usage.files > filesLimit) stop('disk-limit');
    else if (usage.largestBytes >= fileBytes) stop('disk-limit');
  };
  const lookAtMemory = async (): Promise<void> => {
    const memory = await memoryOf(await treeNow());
    ending.peakMemoryBytes = Math.max(ending.peakMemoryBytes, memory);
    if (memory > limits.memoryBytes) stop('memory-limit');
  };
  // Each for itself: folders that take long to look at must not keep the memory from being looked at.
  const disk = repeat(lookAtDisk);
  const memory = repeat(lookAtMemory);

  try {
    const [code, signal] = await ended;
    disk.end();
    memory.end();
    await Promise.all([killing, sweeping]);
    if (over === null) {
      // What it wrote between the last poll and its end counts too.
      const usage = await diskUsage(writable);
      ending.peakDiskBytes = Math.max(ending.peakDiskBytes, usage.bytes);
      const largest = usage.largestBytes >= fileBytes;
      if (usage.bytes > limits.diskBytes || largest) over = 'disk-limit';
      const outputs = command.output ? await diskUsage([command.output.folder]) : null;
      if (outputs !== null && outputs.bytes > command.output!.bytes) over = 'output-limit';
      if (leaving && code !== 0) over = 'left';
    }
    ending.exitCode = code;
    ending.signal = signal;
    ending.reason = over ?? (code === null ? 'killed' : 'exited');
  } catch (cause) {
    throw new Problem(
      'sandbox-unavailable',
      `The program "${start.argv[0]}" cannot be started: ${(cause as Error).message}`,
      'Check that /bin/sh, setpriv and prlimit (package util-linux) are there.',
      { cause },
    );
  } finally {
    disk.end();
    memory.end();
    clearInterval(clock);
    clearTimeout(graceTimer);
    clearTimeout(lingerTimer);
    command.signal.removeEventListener('abort', onAbort);
    command.leave?.signal.removeEventListener('abort', onLeave);
  }
  ending.seconds = (performance.now() - began) / 1000;
  return ending;
};
