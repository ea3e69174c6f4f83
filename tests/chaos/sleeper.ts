// The smallest story of fencing: a worker is stopped in the middle of a run until its lease is lost and the run leased anew; then
// it wakes with its old epoch, goes on where it was, and finds the ring of the new one.
import { mkdtemp, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as runs from '@retraind/prisma/store/runs';
import { startTestFarm } from '../e2e/farm.ts';
import { shortTiny } from '../support/short-tiny.ts';
import { faultsOf, isDoubled, readAccounts } from './accounts.ts';
import { countStarts } from './starts.ts';
import { type Unfenced, unfence } from './unfenced.ts';

export interface SleeperOptions {
  isFenced: boolean;
  redisUrl?: string;
}

const settleSeconds = 240;
const lookMilliseconds = 20;

/** Plays it on a farm of one slot, so that the epoch alone parts the two leases; what is not so at the end. */
export async function playSleeper({ isFenced, redisUrl }: SleeperOptions): Promise<string[]> {
  const folder = await mkdtemp('/tmp/retraind-sleeper-');
  const counter = await countStarts(folder, 'bootstrap');
  let unfenced: Unfenced | null = null;
  const farm = await startTestFarm({
    examples: [await shortTiny(folder)],
    seed: '7',
    leaseSeconds: 2,
    redisUrl,
    programsFolder: counter.programsFolder,
    workersReach: async (api, db) => {
      if (isFenced) return api;
      unfenced = await unfence(db, api);
      return unfenced.address;
    },
  });
  try {
    const settled = farm.settled('tiny', settleSeconds);
    settled.catch(() => undefined);
    const [first] = await until(counter.read, (starts) => starts.length > 0);
    const pid = farm.supervisor.pidOf('worker-0')!;
    process.kill(pid, 'SIGSTOP');
    const read = () => runs.byId(farm.db, first!.runId);
    const leased = await until(read, (run) => (run?.leases.length ?? 0) > 1);
    if (leased!.leases[0]!.outcome !== 'lost') throw new Error('the worker was stopped too late');
    process.kill(pid, 'SIGCONT');
    const { jobId } = await settled;
    const account = async () => faultsOf(await readAccounts(farm.db), [jobId], await counter.read());
    return isFenced ? await account() : await until(account, (faults) => faults.some(isDoubled));
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${farm.tail()}`, { cause: error });
  } finally {
    await farm.stop();
    await (unfenced as Unfenced | null)?.close();
    await rm(folder, { recursive: true });
  }
}

/** Looks again and again, for what tells nobody of itself. */
async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  const deadline = performance.now() + settleSeconds * 1_000;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() > deadline) throw new Error('what the story waits for has not come about');
    await delay(lookMilliseconds);
  }
}
