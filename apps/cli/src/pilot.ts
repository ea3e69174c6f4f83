// retrain lint --pilot: a recipe is trained five times, and its margin is held against the scatter of its metric. What is shipped
// plays no part in the numbers: a margin is registered before it is looked at.
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ensureTool } from '@retraind/host/debian-tools';
import {
  honestShare,
  pilotRuns,
  type Spread,
  soundRatio,
  spreadOf,
} from '@retraind/shared/verdict/margin-pilot';
import { Problem } from '@retraind/shared/wire/problems';
import { type LocalJobResult, runLocalJob } from '@retraind/worker/local-job';
import type { Args } from './args.ts';
import { cacheFolder } from './cache-folder.ts';
import type { FarmClient } from './farm-client.ts';
import type { Output } from './output.ts';
import { openRunProgress } from './run-progress.ts';

const overlays = fileURLToPath(new URL('../../../recipes', import.meta.url));

/** No verdict's runs have this job seed: a margin must not be fitted to them. */
const pilotSeed = 'pilot';

export interface MarginPilot {
  model: string;
  metric: string;
  margin: number;
  /** The metric of each training. */
  values: number[];
  spread: Spread;
  /** Margin in standard deviations; null where all trainings gave the same. */
  ratio: number | null;
  /** Share of honest packages that the margin would let pass. */
  share: number;
}

export interface Pilot {
  pilots: MarginPilot[];
  source: string;
  version: string;
  /** Of each training. */
  seconds: number[];
}

/** Tells a farm what the trainings took, so that its estimates rest on them. Returns what it expects of a run now, in words. */
export async function recordPilot(
  farm: FarmClient,
  { source, version, seconds }: Pilot,
  reason: string,
): Promise<string> {
  const device = `${cpus()[0]?.model.trim() || 'a CPU'} (pilot)`;
  const body = { source, version, seconds, gpus: 0, device, reason };
  return (await farm.post<{ detail: string }>('/api/v1/pilots', body)).detail;
}

const pilotsOf = ({ recipe, runs }: LocalJobResult): MarginPilot[] =>
  (recipe?.models ?? []).flatMap((model): MarginPilot[] => {
    const { metric, margin } = model;
    if (metric === null || margin === null) return [];
    const values = runs.flatMap(({ outcome }) => {
      const outputs = outcome.kind === 'reported' ? outcome.outputs : [];
      return outputs.find((one) => one.model === model.name)?.evidence.metric?.value ?? [];
    });
    const spread = spreadOf(values);
    if (spread === null) return [];
    const ratio = spread.sd > 0 ? margin / spread.sd : null;
    const share = ratio === null ? 1 : honestShare(ratio);
    return [{ model: model.name, metric, margin, values, spread, ratio, share }];
  });

/** Trains and measures; throws a Problem where a run breaks, or where no model has a metric. `results`: folder that is kept. */
export async function runPilot(
  tree: string,
  args: Args,
  output: Output,
  { results, signal }: { results: string; signal: AbortSignal },
): Promise<Pilot> {
  const install = !args.flag('no-install');
  const tools = ['dpkg-source', 'make', 'xz', ...(args.flag('no-sandbox') ? [] : ['bwrap'])] as const;
  for (const tool of tools) await ensureTool(tool as 'make', { install, say: output.say });
  const progress = openRunProgress(output.say);
  try {
    const result = await runLocalJob({
      source: { path: tree },
      overlays,
      reference: args.text('reference') ?? null,
      runs: pilotRuns,
      seed: pilotSeed,
      sandbox: args.flag('no-sandbox') ? 'none' : 'bwrap',
      tfjsNode: args.text('tfjs-node') ?? null,
      resultsFolder: results,
      cacheFolder: cacheFolder(),
      signal,
      onEvent: (event) => {
        if (!output.json) progress.show(event);
      },
    });
    if (result.broken) {
      const { step, blame, detail, hint } = result.broken;
      throw new Problem(
        'invalid-recipe',
        `the pilot broke at ${step}, blame ${blame}: ${detail}`,
        hint ?? undefined,
      );
    }
    const pilots = pilotsOf(result);
    if (pilots.length === 0)
      throw new Problem(
        'usage',
        'no model of this recipe has Metric and Margin',
        'a pilot is of a statistical comparison',
      );
    const seconds = result.runs.flatMap(({ outcome }) =>
      outcome.kind === 'reported' ? Math.max(outcome.trainSeconds, 0.001) : [],
    );
    return { pilots, source: result.source, version: result.version, seconds };
  } finally {
    progress.stop();
  }
}

const digits = (value: number): string => value.toPrecision(3);

/** Two or three lines a model. */
export function pilotLines(pilots: readonly MarginPilot[], output: Output): string[] {
  return pilots.flatMap(({ model, metric, margin, values, spread, ratio, share }) => {
    const { mean, sd, interval } = spread;
    const honest = `${(100 * share).toFixed(0)} % of honest packages would be found within it`;
    const lines = [
      `${model}: ${metric} ${mean.toFixed(4)} in ${values.length} trainings, standard deviation s = ${digits(sd)} (90 % interval ${digits(interval[0])} to ${digits(interval[1])})`,
      ratio === null
        ? `  Margin ${margin}: all trainings gave the same ${metric}`
        : `  Margin ${margin} is ${ratio.toFixed(1)} s: ${honest}`,
    ];
    if (ratio !== null && ratio < soundRatio) {
      const warning = output.color.doubtful('warning');
      lines.push(
        `  ${warning}: the margin is under ${soundRatio} s; ${digits(soundRatio * sd)} would be, or let the training scatter less`,
      );
    }
    return lines;
  });
}
