// Draws shipped models and retrains from a pool and judges each draw as the farm would. Pure.
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import type { ModelVerdict, Rung } from '@retraind/shared/verdict/evidence';
import type { JudgedFile } from '@retraind/shared/verdict/judged';
import { ProbeStream } from '@retraind/shared/verdict/probe-stream';
import { judgeModel } from '@retraind/shared/verdict/verdict';

export interface JudgedDraw {
  rung: Rung;
  k: number;
  /** Name of the test with the smallest p where the verdict is different. */
  decidedBy: string | null;
}

const retrainsWanted = 10;

/**
 * `draws` verdicts on one shipped file, each against ten retrains drawn anew from `pool` (at least ten files, without the shipped one)
 * by a stream named for the file and the draw: the same call gives the same verdicts.
 */
export const drawVerdicts = (
  model: RecipeModel,
  shippedName: string,
  shipped: JudgedFile,
  pool: readonly JudgedFile[],
  draws: number,
): JudgedDraw[] =>
  Array.from({ length: draws }, (_, draw) => {
    const picks = new ProbeStream('rates', `${shippedName}/${draw + 1}`).sample(pool.length, retrainsWanted);
    const runs = picks.map((pick, i) => ({ ...pool[pick]!, seed: pick + 1, seedIndex: i + 1 }));
    const verdict = judgeModel({ model, reference: shipped, runs });
    return { rung: verdict.rung, k: verdict.k, decidedBy: loudest(verdict) };
  });

const loudest = ({ rung, tests }: ModelVerdict): string | null =>
  rung === 'different' && tests.length > 0 ? tests.reduce((a, b) => (b.p < a.p ? b : a)).name : null;

export interface Rates {
  models: number;
  draws: number;
  /** Verdicts by rung over the first draw of each model: independent shipped files. */
  first: Partial<Record<Rung, number>>;
  /** Shares over all draws; draws of one model are not independent. */
  share: Partial<Record<Rung, number>>;
  meanK: number;
  decidedBy: Record<string, number>;
}

/** Sums up the draws of several shipped models (one array each). */
export const ratesOf = (perModel: readonly (readonly JudgedDraw[])[]): Rates => {
  const all = perModel.flat();
  const first = count(perModel.map(([draw]) => draw!.rung));
  const totals = count(all.map(({ rung }) => rung));
  return {
    models: perModel.length,
    draws: all.length,
    first,
    share: Object.fromEntries(Object.entries(totals).map(([rung, n]) => [rung, n / all.length])),
    meanK: all.reduce((sum, { k }) => sum + k, 0) / all.length,
    decidedBy: count(all.flatMap(({ decidedBy }) => decidedBy ?? [])),
  };
};

const count = <T extends string>(values: readonly T[]): Record<T, number> => {
  const counts = {} as Record<T, number>;
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};
