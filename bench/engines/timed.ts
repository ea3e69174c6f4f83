// Times several processes in turn, a short block each, round after round: what disturbs the machine meets all of them.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Contestant {
  /** Key in the table. */
  key: string;
  command: readonly string[];
  env?: Record<string, string>;
  /** Numbers of the cores that it may use. */
  cores: readonly number[];
}

export interface Timing {
  key: string;
  label: string;
  /** Set where the process could not run, or does not run what was asked for. */
  note: string | null;
  /** Milliseconds of each step. */
  ms: number[];
}

interface Opened {
  child: ChildProcessWithoutNullStreams;
  next: () => Promise<Record<string, unknown>>;
  timing: Timing;
}

async function open({ key, command, env, cores }: Contestant): Promise<Opened> {
  const [program, ...args] = ['taskset', '-c', cores.join(','), ...command] as [string, ...string[]];
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${key}: ${said.trim().split('\n').at(-1) ?? 'it ended'}`);
      if (value.startsWith('{"')) return JSON.parse(value);
    }
  };
  const timing: Timing = { key, label: key, note: null, ms: [] };
  try {
    const first = await next();
    timing.label = String(first.label ?? key);
    timing.note = first.unavailable
      ? String(first.unavailable)
      : first.reason
        ? `eager: ${first.reason}`
        : null;
    if (first.unavailable) child.kill();
  } catch (error) {
    timing.note = (error as Error).message;
  }
  return { child, next, timing };
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
};

export const summary = (ms: readonly number[]): { median: number; minimum: number; steps: number } => ({
  median: median(ms),
  minimum: Math.min(...ms),
  steps: ms.length,
});

/** Runs `rounds` rounds; each contestant steps for about `blockMs` a round, the first one thrown away. */
export async function timed(
  contestants: readonly Contestant[],
  { rounds, blockMs, told }: { rounds: number; blockMs: number; told: () => void },
): Promise<Timing[]> {
  const opened: Opened[] = [];
  for (const contestant of contestants) opened.push(await open(contestant));
  const able = opened.filter(({ child, timing }) => !child.killed && child.exitCode === null && timing.label);
  const steps = new Map<Opened, number>();
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const one of able) {
        if (one.child.exitCode !== null) continue;
        one.child.stdin.write(`${steps.get(one) ?? 5}\n`);
        const { ms } = (await one.next()) as { ms: number[] };
        steps.set(one, Math.max(3, Math.round(blockMs / median(ms))));
        if (round > 0) one.timing.ms.push(...ms);
      }
      told();
    }
  } finally {
    for (const { child } of opened) child.kill();
  }
  return opened.map(({ timing }) => timing);
}
