// Locks between processes, by flock(1) of util-linux (essential in Debian). The kernel lets go when the holder dies, so a
// kill -9 leaves nothing behind: the holder is a `cat` whose stdin is our pipe, and it ends with us.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';

const timedOut = 75;

export interface LockOptions {
  /** Readers share, a writer is alone. */
  shared?: boolean;
  waitSeconds?: number;
}

/** Waits for the lock on `path` (made where absent) and answers the function that lets go of it. Problem `conflict` when the wait ends. */
export const takeLock = async (path: string, options: LockOptions = {}): Promise<() => Promise<void>> => {
  await mkdir(dirname(path), { recursive: true });
  const mode = options.shared ? '--shared' : '--exclusive';
  const wait = String(options.waitSeconds ?? 600);
  const child = spawn('flock', [mode, '-w', wait, '-E', `${timedOut}`, path, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  ended.catch(() => {});
  child.stdin.on('error', () => {});
  const held = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  const first = await Promise.race([held, ended]);
  if (typeof first === 'number') {
    const detail = first === timedOut ? `waited ${wait} s for the lock` : 'cannot take the lock';
    throw new Problem(
      'conflict',
      `${detail} ${path}`,
      'Another program of the farm is at it; try again later.',
    );
  }
  return async () => {
    child.stdin.end();
    await ended;
  };
};

/** Does the work while holding the lock. */
export const withLock = async <T>(
  path: string,
  work: () => Promise<T>,
  options?: LockOptions,
): Promise<T> => {
  const letGo = await takeLock(path, options);
  try {
    return await work();
  } finally {
    await letGo();
  }
};
