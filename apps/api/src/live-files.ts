// Log and metrics of open leases: one growing file each (host/live-file). When a lease ends its files are sealed into the
// artifacts by digest, and the growing copies go.
import { EventEmitter } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ArtifactStore } from '@retraind/host/artifacts';
import { appendLive, type LiveKind, liveFilePath, sealLive } from '@retraind/host/live-file';

export type { LiveKind };

export interface LeaseName {
  runId: string;
  leaseEpoch: number;
}

/** What one lease may write in bytes. The worker cuts a huge log before this; here is the farm's own limit. */
export const liveLimits: Record<LiveKind, number> = { log: 64 * 2 ** 20, metrics: 16 * 2 ** 20 };

export class LiveFiles {
  readonly #folder: string;
  /** By path: the file grew, or ended. */
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Appends to one file go one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  path({ runId, leaseEpoch }: LeaseName, kind: LiveKind): string {
    return liveFilePath(this.#folder, runId, leaseEpoch, kind);
  }

  /** Bytes there are so far; null where nothing was ever written. */
  async size(lease: LeaseName, kind: LiveKind): Promise<number | null> {
    try {
      return (await stat(this.path(lease, kind))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Appends what of `text` lies beyond the file's end. Problems: `conflict` for a gap, `too-large`. */
  async append(lease: LeaseName, kind: LiveKind, offset: number, text: string): Promise<void> {
    const path = this.path(lease, kind);
    const write = () => appendLive(path, offset, text, liveLimits[kind]);
    const turn = (this.#turns.get(path) ?? Promise.resolve()).then(write, write);
    this.#turns.set(path, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(path) === turn) this.#turns.delete(path);
    }
    this.#changes.emit(path);
  }

  /** Keeps a file by its digest; null where nothing was written. The growing copy stays until `end`. */
  async seal(lease: LeaseName, kind: LiveKind, artifacts: ArtifactStore): Promise<string | null> {
    return sealLive(artifacts, this.path(lease, kind));
  }

  /** Tells those who follow that the lease has ended, and forgets the growing copies. */
  async end(lease: LeaseName): Promise<void> {
    await rm(dirname(this.path(lease, 'log')), { recursive: true, force: true });
    for (const kind of ['log', 'metrics'] as const) this.#changes.emit(this.path(lease, kind));
  }

  /** Resolves at the next change of the file, after `milliseconds` (another API may have written), or on abort. */
  async change(lease: LeaseName, kind: LiveKind, milliseconds: number, signal: AbortSignal): Promise<void> {
    const path = this.path(lease, kind);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#changes.off(path, done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#changes.on(path, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
