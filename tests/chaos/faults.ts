// What goes wrong on purpose: drawn from a seed one after the other, and done to the processes of a farm.
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from '@retraind/worker/sandbox/process-tree';
import { Redis } from 'ioredis';
import type { TestFarm } from '../e2e/farm.ts';
import type { TestRedis } from '../support/redis.ts';

export interface Fault {
  deed: 'kill' | 'stop' | 'flush' | 'restart';
  /** Of the farm's programs, `redis`, or `child of` a worker: what the sandbox runs. */
  victim: string;
  /** Between the fault before it and this one. */
  pauseSeconds: number;
  /** How long a stopped process sleeps. */
  sleepSeconds: number;
  /** Which of several processes, in [0, 1). */
  choice: number;
}

export interface FaultOptions {
  programs: readonly string[];
  leaseSeconds: number;
  hasRedis: boolean;
  random: Iterator<number, never>;
}

/** The farm must have time to work, or nothing is seen but that it stands still. */
const [shortestPauseSeconds, longestPauseSeconds] = [1, 8];

/** Every process is killed and stopped alike often; each fault takes the same number of draws, so that a seed gives one order. */
export function* faultsFrom({
  programs,
  leaseSeconds,
  hasRedis,
  random,
}: FaultOptions): Generator<Fault, never> {
  const workers = programs.filter((name) => name.startsWith('worker'));
  const others = programs.filter((name) => name !== 'postgres');
  const kinds: Pick<Fault, 'deed' | 'victim'>[] = [
    ...[...others, ...workers.map((name) => `child of ${name}`)].flatMap((victim) => [
      { deed: 'kill' as const, victim },
      { deed: 'stop' as const, victim },
    ]),
    { deed: 'stop', victim: 'postgres' },
    { deed: 'restart', victim: 'postgres' },
    ...(hasRedis
      ? [
          { deed: 'flush' as const, victim: 'redis' },
          { deed: 'stop' as const, victim: 'redis' },
        ]
      : []),
  ];
  const draw = () => random.next().value;
  for (;;) {
    const kind = kinds[Math.floor(draw() * kinds.length)]!;
    yield {
      ...kind,
      pauseSeconds: shortestPauseSeconds + draw() * (longestPauseSeconds - shortestPauseSeconds),
      // Mostly a hiccup, at times well beyond a lease, or the 8 s after which a leader is followed.
      sleepSeconds: 0.2 + draw() ** 2 * 4 * leaseSeconds,
      choice: draw(),
    };
  }
}

export class Havoc {
  readonly #farm: TestFarm;
  readonly #redis: TestRedis | null;
  /** Sleeping processes that are to be woken, whatever comes. */
  readonly #asleep = new Map<number, Promise<void>>();
  readonly #hurry = new AbortController();
  readonly done = new Map<string, number>();

  constructor(farm: TestFarm, redis: TestRedis | null) {
    this.#farm = farm;
    this.#redis = redis;
    setMaxListeners(0, this.#hurry.signal);
  }

  /** Does it, where the victim is there at this moment; a line that tells. */
  async wreak(fault: Fault): Promise<string> {
    const { deed, victim, sleepSeconds } = fault;
    const pids = await this.#pidsOf(fault);
    if (pids.length === 0) return `${victim} is not there`;
    const name = `${deed} ${victim.replace(/-\d+$/, '')}`;
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
    switch (deed) {
      case 'flush':
        await this.#flush();
        return 'FLUSHALL';
      case 'restart':
        // SIGQUIT is PostgreSQL's immediate shutdown: it recovers from its log at the next start.
        signal(pids[0]!, 'SIGQUIT');
        return 'postgres ends at once';
      case 'kill':
        signal(pids[0]!, 'SIGKILL');
        return `kill -9 ${victim}`;
      case 'stop':
        for (const pid of pids) this.#stop(pid, sleepSeconds);
        return `stop ${victim} for ${sleepSeconds.toFixed(1)} s`;
    }
  }

  /** Wakes who still sleeps. */
  async calm(): Promise<void> {
    this.#hurry.abort();
    await Promise.all(this.#asleep.values());
  }

  async #pidsOf({ deed, victim, choice }: Fault): Promise<number[]> {
    if (victim === 'redis') return [this.#redis!.pid];
    const [, worker] = victim.match(/^child of (.+)$/) ?? [];
    const pid = this.#farm.supervisor.pidOf(worker ?? victim);
    if (pid === undefined) return [];
    if (worker !== undefined) {
      const children = (await processTree(pid)).slice(1);
      return deed === 'stop' || children.length === 0
        ? children
        : [children[Math.floor(choice * children.length)]!];
    }
    // A postmaster alone is not PostgreSQL: its backends serve on.
    return victim === 'postgres' && deed === 'stop' ? processTree(pid) : [pid];
  }

  #stop(pid: number, seconds: number): void {
    if (this.#asleep.has(pid) || !signal(pid, 'SIGSTOP')) return;
    const waking = delay(seconds * 1_000, undefined, { signal: this.#hurry.signal })
      .catch(() => undefined)
      .then(() => {
        signal(pid, 'SIGCONT');
        this.#asleep.delete(pid);
      });
    this.#asleep.set(pid, waking);
  }

  async #flush(): Promise<void> {
    const redis = new Redis(this.#redis!.url, { maxRetriesPerRequest: 1 });
    redis.on('error', () => undefined);
    // It may be asleep: then it forgets all when it wakes.
    void redis
      .flushall()
      .catch(() => undefined)
      .finally(() => redis.disconnect());
  }
}

/** False where the process is gone. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
