// Draws shipped models and retrains from populations and judges each draw as the farm would. Pure.
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import type { ModelVerdict, Rung, TestId } from '@retraind/shared/verdict/evidence';
import type { JudgedFile, JudgedRun } from '@retraind/shared/verdict/judged';
import type { Measures } from '@retraind/shared/verdict/measures';
import { ProbeStream } from '@retraind/shared/verdict/probe-stream';
import { judgeModel } from '@retraind/shared/verdict/verdict';

/** A model of a population, with its evidence. */
export interface Member {
  seed: number;
  file: JudgedFile;
}

export interface Draw {
  shipped: Member;
  /** Of other seeds than the shipped one, in the order in which they count as the job's retrains. */
  retrains: Member[];
}

/** Ten retrains for the looks, ten fresh ones to confirm a difference. */
export const retrainsWanted = 20;

/**
 * `count` draws: the shipped models in a drawn order, round after round, so that the first shipped.length draws hold each once; each
 * with twenty retrains drawn from `pool`. By streams named for population and draw: the same call gives the same draws.
 */
export const drawsOf = (
  population: string,
  shipped: readonly Member[],
  pool: readonly Member[],
  count: number,
): Draw[] => {
  const order = new ProbeStream('calibrate', `${population}/order`).sample(shipped.length, shipped.length);
  return Array.from({ length: count }, (_, draw) => {
    const drawn = shipped[order[draw % order.length]!]!;
    const others = pool.filter(({ seed }) => seed !== drawn.seed);
    const picks = new ProbeStream('calibrate', `${population}/${draw + 1}`).sample(
      others.length,
      retrainsWanted,
    );
    return { shipped: drawn, retrains: picks.map((pick) => others[pick]!) };
  });
};

export interface Outcome {
  seed: number;
  rung: Rung;
  /** The rung if a difference needed no confirmation by fresh retrains. */
  unconfirmed: Rung;
  /** Retrains at the look that decided. */
  k: number;
  /** The test with the smallest p, where a look said different. */
  decidedBy: TestId | null;
  alarms: string[];
}

/** As a run of a job. */
const asRuns = (retrains: readonly Member[]): JudgedRun[] =>
  retrains.map(({ seed, file }, i) => ({ ...file, seed, seedIndex: i + 1 }));

/** The verdict on one draw. */
export const judgeDraw = (model: RecipeModel, { shipped, retrains }: Draw, measures: Measures): Outcome => {
  const verdict = judgeModel({ model, reference: shipped.file, runs: asRuns(retrains) }, measures);
  const saidDifferent = verdict.rung === 'different' || verdict.confirmation !== undefined;
  return {
    seed: shipped.seed,
    rung: verdict.rung,
    unconfirmed: saidDifferent ? 'different' : verdict.rung,
    k: verdict.k,
    decidedBy: saidDifferent ? loudest(verdict) : null,
    alarms: verdict.alarms.map(({ name }) => name),
  };
};

const loudest = ({ tests }: ModelVerdict): TestId | null =>
  tests.length > 0 ? tests.reduce((a, b) => (b.p < a.p ? b : a)).id : null;

/** The same member without what a search for triggers found. */
export const withoutTriggers = ({ seed, file }: Member): Member => {
  const { triggers: _, ...evidence } = file.evidence;
  return { seed, file: { ...file, evidence } };
};
