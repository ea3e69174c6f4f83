// Where a package's code runs. One interface, one file a kind, one conformance suite over all
// (tests/conformance/sandbox.test.ts). What each kind does and does not promise: docs/explanation/sandbox.md.
import { Problem } from '@retraind/shared/wire/problems';
import { bwrap } from './bwrap.ts';
import { type Keeper, ownKeeper } from './keeper.ts';
import { none } from './none.ts';

/** A file or folder of this machine that the program may see, at a path that is the same on every machine. */
export interface Mount {
  /** Absolute path on this machine. */
  source: string;
  /** Absolute path inside; a sandbox without a file system of its own shows `source` instead (`pathInside`). */
  target: string;
  writable: boolean;
}

/** A device file of this machine, and where the program sees it (below /dev). */
export interface DeviceNode {
  source: string;
  target: string;
}

/** What ends a program that does not end by itself. Sizes in bytes, times in seconds. */
export interface Limits {
  seconds: number;
  /** Longest time without output or growth of a file in `signsOfLife`. */
  silenceSeconds: number;
  logBytes: number;
  /** Sum over the writable mounts and deleted files that are held open, polled; also the size limit of one file (RLIMIT_FSIZE), which the kernel keeps. */
  diskBytes: number;
  /** Memory of the whole process tree, polled: a short spike may pass. */
  memoryBytes: number;
}

export interface Command {
  argv: readonly [string, ...string[]];
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Working folder as the program sees it. */
  cwd: string;
  mounts: readonly Mount[];
  /** All that the program may open of the machine's devices; where absent, none. */
  devices?: readonly DeviceNode[];
  /** Files of the host's system folders that must not be seen: absolute paths. */
  hidden: readonly string[];
  limits: Limits;
  /** Files of this machine whose growth counts as a sign of life, as output does. */
  signsOfLife: readonly string[];
  /** Standard output and error, in order. */
  onOutput: (chunk: Buffer) => void;
  /** The folder of this machine whose files are the result, and what they may take in bytes; polled. */
  output?: { folder: string; bytes: number };
  /** Aborted to ask the program to end by itself: SIGTERM, and the end after so many seconds. */
  leave?: { signal: AbortSignal; graceSeconds: () => number };
  /** Aborted to end it at once. */
  signal: AbortSignal;
}

export type EndReason =
  | 'exited'
  | 'killed'
  | 'time-limit'
  | 'silence-limit'
  | 'log-limit'
  | 'output-limit'
  | 'disk-limit'
  | 'memory-limit'
  /** It was asked to end by itself, and did without success, or not in time. */
  | 'left'
  | 'cancelled';

/** How a program ended; its whole process tree is gone by then. */
export interface Ending {
  reason: EndReason;
  /** Null where a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  seconds: number;
  logBytes: number;
  peakMemoryBytes: number;
  peakDiskBytes: number;
}

export interface Sandbox {
  readonly name: 'bwrap' | 'none';
  /** Goes into every record of a run made here. */
  readonly taints: readonly string[];
  /** Whether network and host files are really out of reach. */
  readonly confines: boolean;
  /** Throws Problem `sandbox-unavailable` with the cure where this machine cannot make it. */
  check(): Promise<void>;
  pathInside(mount: Mount): string;
  run(command: Command): Promise<Ending>;
}

export const sandboxNames = ['bwrap', 'none'] as const;

/** The sandbox of that name. `bwrapPath`: the program; found or installed where absent. `keeper`: a slot's; this process's own where absent. */
export const openSandbox = (name: string, options: { bwrapPath?: string; keeper?: Keeper } = {}): Sandbox => {
  const keeper = () => options.keeper ?? ownKeeper();
  if (name === 'bwrap') return bwrap(options.bwrapPath ?? null, keeper);
  if (name === 'none') return none(keeper);
  throw new Problem('usage', `There is no sandbox "${name}".`, `Choose one of: ${sandboxNames.join(', ')}.`);
};
