// npm run calibrate -- lineage: how far honest reruns and edited files lie from reruns of the declared seed (rho).
import { dirname, join } from 'node:path';
import { ArtifactStore } from '@retraind/host/artifacts';
import { compareWeights } from '@retraind/host/compare-weights';
import type { JudgedFile } from '@retraind/shared/verdict/judged';
import { lineageOf } from '@retraind/shared/verdict/lineage';
import { openProgress } from '../progress.ts';
import type { CalibrationOptions } from './calibration.ts';
import { clopperPearson } from './clopper-pearson.ts';
import { evaluateAll } from './evaluation.ts';
import { filesOf, type LineageCase, lineageCases } from './lineage-cases.ts';
import { type MadeModel, trainAll, usualEngine, type Wanted } from './population.ts';
import { fashionCnn } from './tasks/fashion-cnn.ts';

export interface CaseReport {
  kind: LineageCase['kind'];
  title: string;
  seed: number;
  outcome: string;
  why: string;
  maxRho: number | null;
  /** By axis. */
  rho: Record<string, number>;
  cosine: number | null;
  /** Mean relative distance of all weights among the reruns. */
  baseDistance: number | null;
}

/** A count of cases, with the exact 95 % interval of its rate. */
export interface CaseCount {
  cases: number;
  count: number;
  interval95: { low: number; high: number };
  /** Least count that is asked for. */
  least: number;
  met: boolean;
}

export interface LineageReport {
  quick: boolean;
  measured: string;
  engine: string;
  evaluator: string;
  cases: CaseReport[];
  /** Honest files with max rho ≤ 2, each rerun against the three others; edited files with max rho > 3: the goals. */
  leftOut: CaseCount;
  edited: CaseCount;
  /** No goals: other arithmetic against all four reruns, and the edits together with those that were expected to hide. */
  outside: CaseCount;
  allEdits: CaseCount;
  seconds: number;
}

/** 15 of 16, and nine tenths. */
const leastHonest = (cases: number): number => cases - Math.ceil(cases / 16);
const leastEdited = (cases: number): number => Math.ceil(0.9 * cases);

const countOf = (
  cases: readonly CaseReport[],
  holds: (maxRho: number) => boolean,
  leastOf: (cases: number) => number,
): CaseCount => {
  const count = cases.filter(({ maxRho }) => maxRho !== null && holds(maxRho)).length;
  const least = leastOf(cases.length);
  return {
    cases: cases.length,
    count,
    interval95: clopperPearson(count, cases.length),
    least,
    met: count >= least,
  };
};

/** Trains reruns and edited files of seeds 1..4 (quick: 1..2) and weighs each case by the product's own rung. */
export const calibrateLineage = async ({
  quick,
  jobs,
  cache,
}: CalibrationOptions): Promise<LineageReport> => {
  const startedAt = Date.now();
  const engine = usualEngine();
  // Without TensorFlow there is no second engine that trains in reasonable time.
  const cases = lineageCases(quick ? 2 : 4, engine.name === 'tfjs-node');
  const { data, models, engineLabel } = await trainAll(fashionCnn, filesOf(cases), {
    engine,
    jobs,
    cache,
    onTrained: openProgress('training'),
  });
  const weights = new ArtifactStore(join(dirname(data), 'weights'));
  const files = await evaluateAll(
    models.map(({ path }) => path),
    {
      model: fashionCnn.model,
      data,
      jobSeed: 'calibrate/lineage',
      jobs,
      cache: dirname(data),
      weights,
      onEvaluated: openProgress('evaluating'),
    },
  );
  const reports: CaseReport[] = [];
  for (const one of cases) reports.push(await weigh(one, models, files, weights));
  const ofKind = (kind: LineageCase['kind']): CaseReport[] => reports.filter((one) => one.kind === kind);
  return {
    quick,
    measured: new Date(startedAt).toISOString().slice(0, 10),
    engine: engineLabel,
    evaluator: files[0]!.evidence.evaluator,
    cases: reports,
    leftOut: countOf(ofKind('left-out'), (rho) => rho <= 2, leastHonest),
    outside: countOf(ofKind('outside'), (rho) => rho <= 2, leastHonest),
    edited: countOf(ofKind('edited'), (rho) => rho > 3, leastEdited),
    allEdits: countOf([...ofKind('edited'), ...ofKind('hidden')], (rho) => rho > 3, leastEdited),
    seconds: Math.round((Date.now() - startedAt) / 1_000),
  };
};

const weigh = async (
  { kind, title, shipped, reruns }: LineageCase,
  models: readonly MadeModel[],
  files: readonly JudgedFile[],
  weights: ArtifactStore,
): Promise<CaseReport> => {
  const found = (wanted: Wanted): JudgedFile =>
    files[
      models.findIndex(
        ({ population, seed, numerics }) =>
          population === wanted.population && seed === wanted.seed && numerics === wanted.numerics,
      )
    ]!;
  const { seed } = shipped;
  const reference = found(shipped);
  const runs = reruns.map((rerun) => ({
    ...found(rerun),
    seed,
    seedIndex: 0,
    purpose: 'rerun' as const,
    numerics: rerun.numerics,
  }));
  const compared = await compareWeights(
    weights,
    [reference, ...runs].flatMap(({ evidence }) => evidence.weights ?? []),
  );
  const lineage = lineageOf({ ...fashionCnn.model, seed }, reference, runs, compared);
  const { outcome, why, maxRho, axes, cosine, baseDistance } = lineage;
  const rho = Object.fromEntries(axes.map(({ axis, rho }) => [axis, rho]));
  return { kind, title, seed, outcome, why, maxRho, rho, cosine, baseDistance };
};
