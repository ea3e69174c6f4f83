// retrain simulate: a farm on a virtual clock, with the farm's own decision and rules. Asks no farm for anything.
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import { readPolicy } from '@retraind/shared/policy/policy-file';
import { defaultPolicy } from '@retraind/shared/policy/world';
import { type FaultLevel, faultLevels } from '@retraind/shared/simulate/faults';
import {
  maxFileBytes,
  maxJobs,
  maxNodes,
  readBudgets,
  readJobs,
  readNodes,
} from '@retraind/shared/simulate/files';
import { drawFleet, type SimulatedNode } from '@retraind/shared/simulate/fleet';
import type { Report } from '@retraind/shared/simulate/report';
import { defaultSettings, type SimulationInput } from '@retraind/shared/simulate/settings';
import { Simulation } from '@retraind/shared/simulate/simulation';
import { drawWorkload, type Workload } from '@retraind/shared/simulate/workload';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { Presets, SingleBar } from 'cli-progress';
import { type Args, jsonOption, shown, type Verb } from '../args.ts';
import { printSimulation } from '../simulation-view.ts';

/** Events between two looks at the clock and at Ctrl-C. */
const eventsAtOnce = 2_000;
const defaultNodes = 20;
const defaultJobs = 1_000;

async function readText(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) throw new Problem('not-found', `There is no file ${shown(path)}.`);
  if (found.size > maxFileBytes) {
    throw new Problem('too-large', `${path} has ${found.size} bytes; ${maxFileBytes} are read at most.`);
  }
  return readFile(path, 'utf8');
}

/** `--nodes 200` or `--nodes FILE`: a number, or what a file says. What begins like a number and is no file is a wrong number. */
async function countOrFile<T>(
  args: Args,
  name: 'nodes' | 'jobs',
  most: number,
  fallback: number,
  read: (json: string, file: string) => T,
): Promise<number | T> {
  const text = args.text(name) ?? String(fallback);
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= most) return count;
  const isFile = (await stat(text).catch(() => null))?.isFile() === true;
  if (isFile) return read(await readText(text), text);
  const isMeant = /^[+-]?\.?\d/.test(text) || !Number.isNaN(Number(text));
  throw new Problem(
    isMeant ? 'usage' : 'not-found',
    isMeant
      ? `--${name} ${shown(text)}: a whole number from 1 to ${most}, or a file, is needed`
      : `--${name} ${text}: there is no file ${text}`,
    `write --${name} ${fallback} for a drawn ${name === 'nodes' ? 'farm' : 'flood of jobs'}, or the name of a JSON file (docs/how-to/try-a-policy.md)`,
  );
}

function faultLevel(text: string | undefined): FaultLevel {
  const level = faultLevels.find((one) => one === (text ?? defaultSettings.faults));
  if (level === undefined)
    throw new Problem('usage', `--faults ${text}: ${faultLevels.join(', ')} are known`);
  return level;
}

async function inputOf(args: Args): Promise<SimulationInput> {
  const seed = args.text('seed') ?? '1';
  const nodesOrCount = await countOrFile(args, 'nodes', maxNodes, defaultNodes, readNodes);
  const nodes: SimulatedNode[] = typeof nodesOrCount === 'number' ? drawFleet(nodesOrCount) : nodesOrCount;
  const jobsOrCount = await countOrFile(args, 'jobs', maxJobs, defaultJobs, readJobs);
  const workload: Workload =
    typeof jobsOrCount === 'number'
      ? drawWorkload(seed, jobsOrCount, nodes)
      : { jobs: jobsOrCount, arrivalSeconds: Math.max(3_600, jobsOrCount.at(-1)!.requestedAtSeconds) };
  const policyFile = args.text('policy');
  const budgetFile = args.text('budgets');
  return {
    ...defaultSettings,
    ...workload,
    ...{ seed, nodes },
    leaseSeconds: args.wholeNumber('lease', 1, 3_600) ?? defaultSettings.leaseSeconds,
    checkpointSeconds: args.wholeNumber('checkpoint', 0, 86_400) ?? defaultSettings.checkpointSeconds,
    faults: faultLevel(args.text('faults')),
    budgets: budgetFile === undefined ? [] : readBudgets(await readText(budgetFile), budgetFile),
    policy: policyFile === undefined ? defaultPolicy : readPolicy(await readText(policyFile), policyFile),
  };
}

/** Plays it to the end, in portions, so that Ctrl-C is heard. */
async function play(input: SimulationInput, showsProgress: boolean, signal: AbortSignal): Promise<Report> {
  const simulation = new Simulation(input);
  const bar = showsProgress
    ? new SingleBar(
        {
          format: '{bar} {value}/{total} jobs ended, day {day}, ETA {eta_formatted}',
          stream: process.stderr,
          hideCursor: true,
        },
        Presets.shades_classic,
      )
    : null;
  bar?.start(input.jobs.length, 0, { day: 0 });
  try {
    while (simulation.advance(eventsAtOnce)) {
      signal.throwIfAborted();
      const { ended, days } = simulation.progress;
      bar?.update(ended, { day: Math.floor(days) });
      await breathe();
    }
    bar?.update(simulation.progress.ended);
  } finally {
    bar?.stop();
  }
  return simulation.report();
}

export const simulate: Verb = {
  name: 'simulate',
  usage:
    'simulate [--nodes N|FILE] [--jobs N|FILE] [--policy FILE] [--budgets FILE] [--faults none|light|heavy] [--lease SECONDS] [--checkpoint SECONDS] [--seed TEXT] [--trace FILE] [--json]',
  summary: 'a farm on a virtual clock: try a policy, a fleet or a flood of jobs before it is real',
  words: [0, 0],
  options: {
    nodes: {
      type: 'string',
      value: 'N|FILE',
      help: `so many nodes of a mixed farm (default ${defaultNodes}), or those of a JSON file`,
    },
    jobs: {
      type: 'string',
      value: 'N|FILE',
      help: `so many drawn jobs (default ${defaultJobs}), or those of a JSON file`,
    },
    policy: {
      type: 'string',
      value: 'FILE',
      help: 'JSON with the values of the scheduling policy that differ from the default',
    },
    budgets: {
      type: 'string',
      value: 'FILE',
      help: 'JSON as retrain budget show --json prints it, with renewDays where one is renewed',
    },
    faults: {
      type: 'string',
      value: 'LEVEL',
      help: `${faultLevels.join(', ')} (default ${defaultSettings.faults})`,
    },
    lease: {
      type: 'string',
      value: 'SECONDS',
      help: `RETRAIND_LEASE_SECONDS of that farm (default ${defaultSettings.leaseSeconds})`,
    },
    checkpoint: {
      type: 'string',
      value: 'SECONDS',
      help: `RETRAIND_CHECKPOINT_SECONDS of its workers (default ${defaultSettings.checkpointSeconds}); 0: none is kept`,
    },
    seed: { type: 'string', value: 'TEXT', help: 'the same seed tells the same story (default 1)' },
    trace: { type: 'string', value: 'FILE', help: 'write every event there; its sha256 is the digest' },
    ...jsonOption,
  },
  async run(args, output, signal) {
    const input = await inputOf(args);
    const trace: string[] = [];
    const traceFile = args.text('trace');
    if (traceFile !== undefined) input.onTrace = (text) => trace.push(text);
    const report = await play(input, !output.json && process.stderr.isTTY === true, signal);
    if (traceFile !== undefined) {
      await writeFile(`${traceFile}.part`, trace);
      await rename(`${traceFile}.part`, traceFile);
    }
    output.result(report, printSimulation(report, output.color));
    return report.invariants.violations > 0 ? exitCodes.failed : exitCodes.done;
  },
};
