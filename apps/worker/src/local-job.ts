// A whole job on this machine, without a server: runs side by side, looks at 3, 5, 10 retrains, a verdict for each model. The
// steps are the farm's own; `retrain run` is a printer of this file's events.

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ArtifactStore } from '@retraind/host/artifacts';
import { judgeModels } from '@retraind/host/judge-models';
import { isAnswer } from '@retraind/shared/job/failure';
import { placesBeyond, type RunPlace, retrainPlaces } from '@retraind/shared/job/run-place';
import type { RunStep } from '@retraind/shared/job/states';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Recipe } from '@retraind/shared/recipe/recipe';
import type { ModelVerdict, Registration } from '@retraind/shared/verdict/evidence';
import { countedRuns, plannedRuns } from '@retraind/shared/verdict/run-plan';
import type { Assignment, RunOutcome, SuiteSpec } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { type PreparedJob, prepareLocalJob } from './local/prepare.ts';
import type { KeptRecipe, TriggerPicture } from './local/results.ts';
import type { LocalSource } from './local/source.ts';
import { localFarmClient } from './local-farm-client.ts';
import { run } from './run.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export interface LocalJobOptions {
  /** A folder or .dsc, or a package of the archive. */
  source: { path: string } | { packageName: string };
  /** Its archive; this machine's own where absent. */
  suite?: SuiteSpec;
  /** Folder with one overlay a source package (`recipes/`); used where the package has no recipe of its own. */
  overlays?: string | null;
  /** A file that is judged in place of the shipped one. */
  reference?: string | null;
  /** Exactly so many retrains, and what a declared seed or equal bytes ask for beside them; as many as the verdict needs where absent. */
  runs?: number | null;
  /** The job seed; derived from source, version and data where absent. */
  seed?: string | null;
  /** `bwrap` where absent. */
  sandbox?: Sandbox | 'bwrap' | 'none';
  /** Folder of infra/gpu/install-tfjs-node; trained by WebAssembly where absent. */
  tfjsNode?: string | null;
  /** Kept: records, weights, logs. A folder below it is the job's. */
  resultsFolder: string;
  /** Kept and shared: data, evidence of references, apt's lists. */
  cacheFolder: string;
  /** Runs at a time; one a core where absent. */
  parallel?: number;
  onEvent?: (event: LocalJobEvent) => void;
  signal?: AbortSignal;
}

export type LocalJobEvent =
  | { kind: 'source'; source: string; version: string; folder: string; resumed: boolean }
  | { kind: 'recipe'; models: string[]; jobSeed: string }
  | { kind: 'runs-wanted'; runs: number }
  | { kind: 'run-started'; run: number; place: RunPlace }
  | { kind: 'step'; run: number; step: RunStep; fraction: number | null }
  | { kind: 'log'; run: number; text: string }
  | { kind: 'metrics'; run: number; text: string }
  | { kind: 'run-ended'; run: number; outcome: RunOutcome; kept: boolean }
  | { kind: 'verdicts'; verdicts: ModelVerdict[]; final: boolean };

export interface LocalRun {
  run: number;
  place: RunPlace;
  outcome: RunOutcome;
}

export interface LocalJobResult {
  source: string;
  version: string;
  /** Null where no run came so far. */
  jobSeed: string | null;
  recipe: Recipe | null;
  /** One a model; empty where a run broke: then `broken` says why. */
  verdicts: ModelVerdict[];
  broken: Extract<RunOutcome, { kind: 'broken' }> | null;
  runs: LocalRun[];
  /** Recovered triggers of the shipped models. */
  pictures: TriggerPicture[];
  /** Where records and weights lie; weights by digest under artifacts/. */
  folder: string;
}

const assignmentOf = (
  found: LocalSource,
  suite: SuiteSpec,
  number: number,
  place: RunPlace,
  seed: string | null,
  deviceIds: string[],
): Assignment => ({
  runId: `local${number}`,
  leaseEpoch: 1,
  jobId: 'local',
  source: found.source,
  version: found.version,
  suite,
  overlaySha256: null,
  ...place,
  seedOverride: seed,
  // At home nobody signs the moment at which a version was first seen.
  beacon: '',
  deviceIds,
  heartbeatSeconds: 5,
  leaseSeconds: 20,
});

/** Runs the job. A broken recipe is a result, not an error; Problems are thrown for what is no run's affair (no such source, no sandbox). Aborted: throws the signal's reason, and what was reported stays for the next time. */
export const runLocalJob = async (options: LocalJobOptions): Promise<LocalJobResult> => {
  const tell = options.onEvent ?? (() => {});
  const outer = options.signal ?? new AbortController().signal;
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const prepared = await prepareLocalJob(options, signal);
  const { found, results, resumed } = prepared;
  tell({ kind: 'source', source: found.source, version: found.version, folder: results.folder, resumed });
  try {
    return await runPrepared(options, prepared, { tell, outer, stop, signal });
  } finally {
    await prepared.release();
  }
};

interface Reins {
  tell: (event: LocalJobEvent) => void;
  /** The caller's. */
  outer: AbortSignal;
  /** Ours: one broken run ends the others. */
  stop: AbortController;
  /** Either. */
  signal: AbortSignal;
}

const runPrepared = async (
  options: LocalJobOptions,
  prepared: PreparedJob,
  { tell, outer, stop, signal }: Reins,
): Promise<LocalJobResult> => {
  const { found, suite, results, resumed, overlay, sandbox, programs, devices, archive } = prepared;
  let recipe: Recipe | null = null;
  let registered: Registration | null = null;
  let jobSeed: string | null = null;
  const places = retrainPlaces(1);
  let launched = 0;
  let verdicts: ModelVerdict[] = [];
  const ended: LocalRun[] = [];
  const running = new Set<Promise<void>>();
  let fault: unknown = null;
  const limit = Math.max(1, options.parallel ?? availableParallelism());

  const learn = (known: KeptRecipe): void => {
    recipe = parseRecipe(known.control).recipe;
    registered = {
      recipeSha256: createHash('sha256').update(known.control).digest('hex'),
      at: known.at,
      by: 'local',
    };
    jobSeed = known.jobSeed;
    tell({ kind: 'recipe', models: recipe?.models.map(({ name }) => name) ?? [], jobSeed });
    want(recipe?.models ?? [], []);
    tell({ kind: 'runs-wanted', runs: places.length });
    fill();
  };
  /** Adds the places that are wanted now; false where all are there. */
  const want = (models: Recipe['models'], known: readonly ModelVerdict[]): boolean => {
    const planned = options.runs ? countedRuns(models, known, options.runs) : plannedRuns(models, known);
    return places.push(...placesBeyond(planned, places)) > launched;
  };
  const known = resumed ? await results.recipe() : null;

  const oneRun = async (number: number): Promise<void> => {
    const place = places[number - 1]!;
    const kept = await results.reported(number, place);
    let outcome = kept;
    if (outcome === null) {
      tell({ kind: 'run-started', run: number, place });
      const folder = results.runFolder(number);
      await rm(folder, { recursive: true, force: true });
      await results.keepPlace(number, place);
      const assignment = assignmentOf(found, suite, number, place, options.seed ?? null, prepared.deviceIds);
      const work = join(folder, 'work');
      outcome = await run({
        nodeId: 'local',
        assignment,
        farm: localFarmClient({
          assignment,
          folder,
          artifacts: results.artifacts,
          onLog: (text) => tell({ kind: 'log', run: number, text }),
          onMetrics: (text) => tell({ kind: 'metrics', run: number, text }),
          onRecipe: async ({ control, jobSeed: seed }) => {
            // The first run's stands; it is kept before that run goes on to train.
            if (recipe !== null) return;
            const kept = { control, jobSeed: seed, at: new Date().toISOString() };
            learn(kept);
            await results.keepRecipe(kept);
          },
        }),
        sandbox,
        programs,
        devices,
        folder: work,
        cache: options.cacheFolder,
        signal,
        archive,
        origin: found.origin,
        overlay: overlay === null ? null : { kind: 'folder', path: overlay },
        referenceFile: options.reference ?? null,
        parallel: Math.max(1, Math.floor(availableParallelism() / limit)),
        onProgress: (step, fraction) => tell({ kind: 'step', run: number, step, fraction }),
      }).finally(() => rm(work, { recursive: true, force: true }));
    }
    const one = { run: number, place, outcome };
    ended.push(one);
    tell({ kind: 'run-ended', run: number, outcome, kept: kept !== null });
    // One broken recipe is enough: the others would break alike.
    if (breaksJob(one)) stop.abort(new Error('another run broke'));
  };
  const fill = (): void => {
    while (running.size < limit && launched < places.length && fault === null && !signal.aborted) {
      launched++;
      const going: Promise<void> = oneRun(launched)
        .catch((error: unknown) => {
          if (stop.signal.aborted && !outer.aborted) return;
          fault ??= error;
          stop.abort(error);
        })
        .finally(() => {
          running.delete(going);
          fill();
        });
      running.add(going);
    }
  };

  if (known) learn(known);
  fill();
  for (;;) {
    while (running.size > 0) await Promise.race(running);
    if (outer.aborted) throw outer.reason;
    if (fault !== null) throw fault;
    if (recipe === null || registered === null || ended.some(breaksJob)) break;
    const { models } = recipe as Recipe;
    verdicts = await judge(results.artifacts, models, ended, registered);
    const final = !want(models, verdicts);
    tell({ kind: 'verdicts', verdicts, final });
    if (final) break;
    tell({ kind: 'runs-wanted', runs: places.length });
    fill();
  }
  ended.sort((a, b) => a.run - b.run);
  const fatal = ended.find(breaksJob)?.outcome;
  const broken = fatal?.kind === 'broken' ? fatal : null;
  const pictures = await results.keepPictures(verdicts);
  if (broken === null) await results.keepVerdicts(verdicts);
  return {
    source: found.source,
    version: found.version,
    jobSeed,
    recipe,
    verdicts,
    broken,
    runs: ended,
    pictures,
    folder: results.folder,
  };
};

/** Whether a run ends the job: a rerun or a dependence run that the recipe cannot do is an answer. */
const breaksJob = ({ place, outcome }: LocalRun): boolean =>
  outcome.kind === 'broken' && !isAnswer({ purpose: place.purpose, ...outcome });

const judge = async (
  artifacts: ArtifactStore,
  models: Recipe['models'],
  ended: readonly LocalRun[],
  registered: Registration,
): Promise<ModelVerdict[]> => {
  const inOrder = [...ended].sort((a, b) => a.run - b.run);
  const found = await judgeModels(artifacts, {
    models,
    runs: inOrder.flatMap(({ run: number, place, outcome }) =>
      outcome.kind === 'reported'
        ? [{ ...place, ...outcome, runId: `local${number}`, withheld: outcome.withheld ?? null }]
        : [],
    ),
    unmade: inOrder.flatMap(({ place, outcome }) =>
      outcome.kind === 'broken' ? [{ ...place, why: outcome.detail }] : [],
    ),
    registered,
  });
  // At home every run sees the same file: it is copied from one source.
  if ('disagreement' in found) throw new Problem('conflict', found.disagreement);
  return found.verdicts;
};
