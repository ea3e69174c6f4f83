// No process of a sandbox outlives its worker. The kernel alone does not see to that: PR_SET_PDEATHSIG is asked for by the child,
// and a parent that dies before is not noticed; bubblewrap asks again in each of its two processes, the inner one only after its
// mounts are made, and until then its parent's end leaves it behind. So each of our processes carries a mark in the environment that
// it was started with, and a keeper, a process of its own whose standard input is our pipe, ends all that is marked when we are gone.
// The next worker of the slot does it too, in case somebody killed the keeper first.
//
//   worker ──pipe──► keeper ──(EOF: killed at whatever line)──► kill -9 of all that is marked ──► lets go of the slot's lock
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { markName } from '@retraind/host/run-mark';
import { Problem } from '@retraind/shared/wire/problems';
import { killEach, processesMarked } from './process-tree.ts';

/** Who ends what a process leaves behind when it dies. */
export interface Keeper {
  /** `OWNER.`: what the marks of all its processes begin with. */
  mark: string;
  /** For files that sandboxes show; made, private. */
  folder: string;
}

/** How long the keeper tries to end what cannot be killed at once (a process that waits for a disk). */
const sweepRounds = 500;

// /proc/PID/environ is what a process was started with, whatever it made of it since, and entries end with NUL.
const script = `
if [ -n "$3" ]; then exec 9>> "$3"; flock -w "$4" 9 || exit 1; echo kept; fi
cat > /dev/null
i=0
while [ $i -lt ${sweepRounds} ] && pids=$(grep -lsz -e "^$1" /proc/[0-9]*/environ | cut -d / -f 3) && [ -n "$pids" ]; do
  kill -KILL $pids; sleep 0.02; i=$((i+1))
done
[ -z "$2" ] || rm -rf -- "$2"
`;

const start = (mark: string, removed: string, lock = '', lockSeconds = 0) => {
  // Detached, or what ends us (a terminal, a group) ends it as well.
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      script,
      'retrain-keeper',
      `${markName}=${mark.replace('.', '\\.')}`,
      removed,
      lock,
      String(lockSeconds),
    ],
    { stdio: ['pipe', 'pipe', 'ignore'], detached: true, cwd: '/', env: { PATH: '/usr/bin:/bin' } },
  );
  child.stdin.on('error', () => {});
  return child;
};

/** Lets this process end though the keeper waits for it. */
const letGo = (child: ReturnType<typeof start>): void => {
  child.unref();
  (child.stdin as Socket).unref();
  child.stdout.destroy();
};

let own: Keeper | undefined;

/** The keeper of a process that serves no slot (`retrain run`, tests); one a process. */
export const ownKeeper = (): Keeper => {
  if (own) return own;
  const folder = mkdtempSync(join(tmpdir(), 'retrain-accounts-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  own = { mark: `${randomBytes(8).toString('hex')}.`, folder };
  letGo(start(own.mark, folder));
  return own;
};

/**
 * The keeper of a slot: of two workers one gets it, and a worker that died lets go of it when its keeper has swept. Ends what a
 * keeper that was killed too has left; nothing of another slot. Problem `already-running` where a live worker has the slot.
 */
export const keepSlot = async (
  work: string,
  slot: number,
  lockSeconds = 30,
): Promise<{ keeper: Keeper; ended: readonly number[] }> => {
  const base = join(work, 'runs', `slot-${slot}`);
  const folder = `${base}.accounts`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The same for each worker of this slot, and for no other's.
  const owner = createHash('sha256')
    .update(`${realpathSync(work)} ${slot}`)
    .digest('hex')
    .slice(0, 16);
  const mark = `${owner}.`;
  const child = start(mark, '', `${base}.lock`, lockSeconds);
  const lines = createInterface({ input: child.stdout });
  const [first] = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  if (first !== 'kept') {
    throw new Problem(
      'already-running',
      `Another worker serves slot ${slot} of ${dirname(base)}.`,
      'Give each worker a slot of its own (RETRAIND_SLOT), or each node a folder (RETRAIND_WORK).',
    );
  }
  lines.close();
  letGo(child);
  return { keeper: { mark, folder }, ended: await sweepMarked(mark) };
};

/** A mark of its own for one program. */
export const newMark = ({ mark }: Keeper): string => mark + randomBytes(8).toString('hex');

const sweepPauseMilliseconds = 10;

/** Ends all processes whose mark begins so, and those that they start meanwhile; answers what it ended. */
export const sweepMarked = async (mark: string): Promise<readonly number[]> => {
  const ended = new Set<number>();
  for (let round = 0; round < sweepRounds; round++) {
    const left = await processesMarked(`${markName}=${mark}`);
    if (left.length === 0) break;
    killEach(left);
    for (const pid of left) ended.add(pid);
    await delay(sweepPauseMilliseconds);
  }
  return [...ended];
};
