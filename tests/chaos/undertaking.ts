// So many runs on one farm while everything dies, and the accounts afterwards. The test itself plays two people: one who asks for
// jobs until the farm has understood, and one who gives back what was attempted and lets drained nodes work again.
import { mkdtemp, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestFarm, type TestFarm } from '../e2e/farm.ts';
import { randoms } from '../support/randoms.ts';
import type { TestRedis } from '../support/redis.ts';
import { shortTiny, shortTinyRuns } from '../support/short-tiny.ts';
import { type Accounts, faultsOf, readAccounts } from './accounts.ts';
import { faultsFrom, Havoc } from './faults.ts';
import { countStarts } from './starts.ts';
import { type Unfenced, unfence } from './unfenced.ts';

export interface UndertakingOptions {
  /** Runs that must be recorded in the end, at least. */
  runs: number;
  seed: number;
  /** Null: the queue lies in PostgreSQL. */
  redis: TestRedis | null;
  isFenced: boolean;
  /** What has not ended by then is said to hang. */
  seconds: number;
  say: (line: string) => void;
}

export interface Outcome {
  /** What is not as it must be. */
  faults: string[];
  jobs: number;
  reported: number;
  leases: Record<string, number>;
  starts: number;
  deeds: Record<string, number>;
  /** How often the person gave back a job. */
  givenBack: number;
  seconds: number;
}

const leaseSeconds = 3;
const lookMilliseconds = 1_000;
/** Between two faults a run is recorded, or so much time goes by. */
const longestProgressSeconds = 15;
/** Jobs that are left when the faults end: the last ones may wait for a long pause, in which nothing happens. */
const quietShare = 0.05;

export async function undertake(options: UndertakingOptions): Promise<Outcome> {
  const { seed, redis, isFenced, say } = options;
  const folder = await mkdtemp('/tmp/retraind-chaos-');
  const counter = await countStarts(folder, 'bootstrap');
  let unfenced: Unfenced | null = null;
  const farm = await startTestFarm({
    examples: [await shortTiny(folder)],
    seed: '1',
    nodes: 2,
    slots: 1,
    schedulers: 2,
    leaseSeconds,
    redisUrl: redis?.url,
    programsFolder: counter.programsFolder,
    workersReach: async (api, db) => {
      if (isFenced) return api;
      unfenced = await unfence(db, api);
      return unfenced.address;
    },
  });
  const havoc = new Havoc(farm, redis);
  const over = new AbortController();
  const from = performance.now();
  try {
    const asked: string[] = [];
    const people = new People(farm, over.signal);
    const wishes = (async () => {
      // The version is known once intake has made its first job.
      while ((await readAccounts(farm.db)).jobs.length === 0) await delay(lookMilliseconds);
      for (let i = 1; i <= Math.ceil(options.runs / shortTinyRuns); i++) asked.push(await people.ask(i));
    })();
    const plan = faultsFrom({
      programs: farm.programs,
      leaseSeconds,
      hasRedis: redis !== null,
      random: randoms(seed),
    });
    let accounts: Accounts = { jobs: [], runs: [] };
    const wreaking = (async () => {
      await wishes.catch(() => undefined);
      for (const fault of plan) {
        const before = reportedOf(accounts);
        await pause(fault.pauseSeconds, over.signal);
        // A slow machine is not killed faster than it works: then nothing would be seen but that it stands still.
        const patience = performance.now() + longestProgressSeconds * 1_000;
        const isIdle = () => reportedOf(accounts) === before && performance.now() < patience;
        while (!over.signal.aborted && isIdle()) await pause(0.5, over.signal);
        if (over.signal.aborted) return;
        say(`${seconds(from)} s: ${await havoc.wreak(fault)}`);
      }
    })();
    await wishes;
    for (let isOver = false; !isOver; ) {
      await delay(lookMilliseconds);
      const seen = await readAccounts(farm.db).catch(() => null);
      if (seen === null) continue;
      accounts = seen;
      const left = accounts.jobs.filter(({ state }) => state !== 'judged').length;
      if (left <= accounts.jobs.length * quietShare && !over.signal.aborted) {
        over.abort();
        await wreaking;
        await havoc.calm();
        say(`${seconds(from)} s: the faults end, ${left} jobs are left`);
      }
      await people.mend(accounts);
      const isQuiet = accounts.runs.every(({ state }) => state !== 'waiting' && state !== 'leased');
      isOver = (left === 0 && isQuiet && over.signal.aborted) || seconds(from) > options.seconds;
    }
    over.abort();
    await wreaking;
    const starts = await counter.read();
    return {
      faults: faultsOf(accounts, asked, starts),
      jobs: accounts.jobs.length,
      reported: reportedOf(accounts),
      leases: countBy(accounts.runs.flatMap(({ leases }) => leases.map(({ outcome }) => outcome ?? 'open'))),
      starts: starts.length,
      deeds: Object.fromEntries([...havoc.done].sort()),
      givenBack: people.givenBack,
      seconds: seconds(from),
    };
  } finally {
    over.abort();
    await havoc.calm();
    await farm.stop();
    await (unfenced as Unfenced | null)?.close();
    await rm(folder, { recursive: true });
  }
}

const reportedOf = ({ runs }: Accounts): number => runs.filter(({ state }) => state === 'reported').length;

/** Returns at once when nothing is to be waited for any more. */
async function pause(forSeconds: number, over: AbortSignal): Promise<void> {
  if (!over.aborted) await delay(forSeconds * 1_000, undefined, { signal: over }).catch(() => undefined);
}

const seconds = (from: number): number => Math.round((performance.now() - from) / 100) / 10;

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

const againMilliseconds = 500;

class People {
  readonly #farm: TestFarm;
  readonly #over: AbortSignal;
  givenBack = 0;

  constructor(farm: TestFarm, over: AbortSignal) {
    this.#farm = farm;
    this.#over = over;
  }

  /** Asks for a job with this seed until there is an answer; asking twice makes one job. */
  async ask(seed: number): Promise<string> {
    for (;;) {
      try {
        const job = (await this.#farm.post('/api/v1/jobs', { source: 'tiny', seed: String(seed) })) as {
          jobId: string;
        };
        return job.jobId;
      } catch (error) {
        this.#over.throwIfAborted();
        if (!isPassing(error)) throw error;
        await delay(againMilliseconds);
      }
    }
  }

  /** What an admin does who finds a job that gave up, or a node that was drained. An api that is away is asked again next time. */
  async mend({ jobs }: Accounts): Promise<void> {
    for (const { jobId, state } of jobs) {
      if (state !== 'attempted') continue;
      try {
        await this.#farm.post(`/api/v1/jobs/${jobId}/give-back`, {
          reason: 'a process was killed on purpose',
        });
        this.givenBack++;
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
    }
    const drained = `UPDATE node SET state = 'approved', state_reason = '', faults_in_row = 0 WHERE state = 'drained'`;
    await this.#farm.db.$executeRawUnsafe(drained).catch(() => undefined);
  }
}

/** No answer, or one that says to come again. */
const isPassing = (error: unknown): boolean => !/: 4\d\d /.test((error as Error).message);
