// One task from training to its report.
import { dirname } from 'node:path';
import { openProgress } from '../progress.ts';
import type { Member } from './draws.ts';
import { evaluateAll } from './evaluation.ts';
import { type MadeModel, trainAll, usualEngine, type Wanted } from './population.ts';
import { goalReports, measurePopulations, type Population } from './report.ts';
import type { TaskReport } from './tables.ts';
import { honest, type Task } from './task.ts';

export interface CalibrationOptions {
  quick: boolean;
  /** Processes at once. */
  jobs: number;
  /** Folder in which models and evidence are kept. */
  cache: string;
}

/** Models 1..count of a population, under the recipe's own numerics. */
const seeds = (population: string, count: number): Wanted[] =>
  Array.from({ length: count }, (_, i) => ({ population, seed: i + 1, numerics: 0 }));

/** Trains what is missing, evaluates, draws and judges. */
export const calibrate = async (
  task: Task,
  { quick, jobs, cache }: CalibrationOptions,
): Promise<TaskReport> => {
  const startedAt = Date.now();
  const engine = usualEngine();
  const sizes = quick ? task.quick[engine.name] : task.full;
  const attacks = task.attacks.filter((attack) => !quick || attack.quick);
  const wanted = [
    ...seeds(honest, sizes.honest),
    ...attacks.flatMap(({ name, retrains }) =>
      seeds(name, retrains === 'alike' ? sizes.honest : sizes.attack),
    ),
  ];
  const { data, models, engineLabel } = await trainAll(task, wanted, {
    engine,
    jobs,
    cache,
    onTrained: openProgress('training'),
  });
  const files = await evaluateAll(
    models.map(({ path }) => path),
    {
      model: task.model,
      data,
      jobSeed: `calibrate/${task.name}`,
      jobs,
      cache: dirname(data),
      onEvaluated: openProgress('evaluating'),
    },
  );
  const membersOf = (name: string): { members: Member[]; figures: MadeModel['figures'][] } => {
    const own = models.flatMap((model, i) => (model.population === name ? [{ model, file: files[i]! }] : []));
    return {
      members: own.map(({ model, file }) => ({ seed: model.seed, file })),
      figures: own.map(({ model }) => model.figures),
    };
  };
  const populations: Population[] = [
    { name: honest, title: 'honest', retrains: undefined, ...membersOf(honest) },
    ...attacks.map(({ name, title, retrains }) => ({ name, title, retrains, ...membersOf(name) })),
  ];
  const measured = measurePopulations(task.model, populations, sizes, openProgress('judging'));
  return {
    task: task.name,
    quick,
    measured: new Date(startedAt).toISOString().slice(0, 10),
    engine: engineLabel,
    evaluator: files[0]!.evidence.evaluator,
    margin: task.model.margin!,
    populations: measured,
    goals: goalReports(task.goals[quick ? 'quick' : 'full'], measured),
    seconds: Math.round((Date.now() - startedAt) / 1_000),
  };
};
