// Keeps the checkpoint of a run with the farm: every so often while it trains, when it has changed, so that a node that dies
// costs minutes and not days; and once more when the run leaves its slot.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';
import { checkpointFingerprint, packCheckpoint, unpackCheckpoint } from './checkpoint.ts';
import type { RunContext } from './steps/context.ts';

/** Keeping may take this share of a run's time at most: a large checkpoint is kept less often. */
const keepingShare = 0.1;

/** The checkpoint that an earlier lease left, laid where the target finds it. */
export interface Restored {
  sha256: string;
  /** Of the lease that left it. */
  leaseEpoch: number;
}

/** Null where there is none, or where it cannot be had: the run then begins at its beginning, which costs time and no bits. */
export async function restoreCheckpoint(context: RunContext): Promise<Restored | null> {
  const { assignment, farm, folders, limits, say } = context;
  const { checkpoint } = assignment;
  if (checkpoint === undefined) return null;
  const path = join(folders.root, 'checkpoint.tar');
  try {
    await farm.getArtifact(checkpoint.sha256, path);
    await unpackCheckpoint(path, folders.checkpoint, limits.checkpointBytes);
  } catch (error) {
    const isItsFault =
      error instanceof Problem &&
      ['not-found', 'digest-mismatch', 'invalid-archive', 'too-large'].includes(error.code);
    if (!isItsFault) throw error;
    await rm(folders.checkpoint, { recursive: true, force: true });
    await mkdir(folders.checkpoint, { recursive: true, mode: 0o755 });
    say(`checkpoint: ${checkpoint.sha256} cannot be used (${error.detail}); trained from the beginning\n`);
    return null;
  } finally {
    await rm(path, { force: true });
  }
  say(`checkpoint: resumed from ${checkpoint.sha256}, left by lease ${checkpoint.leaseEpoch}\n`);
  return checkpoint;
}

export class CheckpointKeeper {
  readonly #context: RunContext;
  #kept = '';
  #timer: NodeJS.Timeout | null = null;
  #keeping: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Keeps the folder from now on, whenever it has changed. */
  async start(): Promise<void> {
    this.#kept = await checkpointFingerprint(this.#context.folders.checkpoint);
    this.#next(this.#context.checkpointSeconds * 1_000);
  }

  #next(milliseconds: number): void {
    if (this.#isOver || !Number.isFinite(milliseconds)) return;
    this.#timer = setTimeout(() => {
      const began = performance.now();
      this.#keeping = this.keep()
        .catch(() => undefined)
        .then(() => {
          const took = performance.now() - began;
          this.#next(Math.max(this.#context.checkpointSeconds * 1_000, took / keepingShare));
        });
    }, milliseconds);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#keeping;
  }

  /** Keeps the folder as it is now, where it has changed. What the folder itself is to blame for is said in the log; Problems of the farm are thrown. */
  async keep(): Promise<void> {
    const { farm, folders, limits, say } = this.#context;
    const now = await checkpointFingerprint(folders.checkpoint);
    if (now === this.#kept || now === '') return;
    const path = join(folders.root, 'checkpoint.tar');
    try {
      if (!(await packCheckpoint(folders.checkpoint, path, limits.checkpointBytes))) return;
      const { sha256, bytes } = await farm.putArtifact(path);
      await farm.keepCheckpoint(sha256);
      this.#kept = now;
      say(`checkpoint: ${bytes} bytes kept as ${sha256}\n`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'too-large') {
        this.#kept = now;
        say(`checkpoint: not kept: ${error.detail}\n`);
      } else if (error.code !== 'conflict') throw error;
    } finally {
      await rm(path, { force: true });
    }
  }
}
