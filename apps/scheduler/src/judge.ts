// From the reported runs of a job to its verdicts. Nothing here is remembered between calls and every write may be repeated,
// so a scheduler that is killed at any line judges again and finds the same: artifacts are named by digest, a verdict that
// says what the last one said is not stored twice, and runs are topped up to places, not by a number.

import { createHash } from 'node:crypto';
import type { ArtifactStore } from '@retraind/host/artifacts';
import { judgeModels } from '@retraind/host/judge-models';
import type { Database } from '@retraind/prisma/client';
import { learnCost } from '@retraind/prisma/store/job-birth';
import * as jobs from '@retraind/prisma/store/jobs';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { printStatement, verdictStatement } from '@retraind/shared/attest/statement';
import { isAnswer } from '@retraind/shared/job/failure';
import { placeInWords, placesBeyond, type RunPlace } from '@retraind/shared/job/run-place';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Recipe } from '@retraind/shared/recipe/recipe';
import type { ModelVerdict, Registration } from '@retraind/shared/verdict/evidence';
import { plannedRuns } from '@retraind/shared/verdict/run-plan';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';

export interface JudgeParts {
  db: Database;
  artifacts: ArtifactStore;
  log: Logger;
}

export type Attention = 'nothing' | 'more-runs' | 'judged' | 'held';

/**
 * Does what a job needs next: its first run, the runs of its current look, or a judgement. Called whenever a job may have
 * changed; does nothing where nothing is to do.
 */
export async function attend(parts: JudgeParts, jobId: string): Promise<Attention> {
  const { db, log } = parts;
  const job = await jobs.byId(db, jobId);
  if (job === null || (job.state !== 'needs-retrain' && job.state !== 'retraining')) return 'nothing';
  // What checks a node is not the job's: it is neither waited for nor weighed.
  const all = (await runs.ofJob(db, jobId)).filter(({ purpose }) => purpose !== 'check');
  const recipe = job.control === null ? null : readRecipe(job.control);
  const reported = all.filter(({ state }) => state === 'reported');
  const live = all.filter(({ state }) => state === 'waiting' || state === 'leased');

  const unmade = all.filter((run) => run.state === 'broken' && isAnswer(run));

  // The recipe of a new version is unknown until a first run has seen it.
  const known = recipe === null ? [] : (await verdicts.ofJob(db, jobId)).map(({ verdict }) => verdict);
  const there = [...reported, ...live, ...unmade];
  // Its cost is known from now on: what is set aside for its runs, and whether an admin is asked.
  const isTimed = job.demand.estimateSeconds > 0 || reported.length === 0;
  if (!isTimed && (await learnCost(db, jobId))) return 'held';
  const planned = plannedRuns(recipe?.models ?? [], known);
  if (placesBeyond(planned, there).length > 0) return topUp(parts, jobId, planned);
  if (recipe === null || live.length > 0) return 'nothing';

  const found = await judgeModels(parts.artifacts, {
    models: recipe.models,
    runs: reported.map((run) => ({ ...run, seed: run.seed! })),
    unmade: unmade.map((run) => ({ ...run, why: run.detail ?? 'it broke' })),
    registered: registrationOf(job),
  });
  if ('disagreement' in found) {
    log.error({ jobId, disagreement: found.disagreement }, 'runs disagree');
    await jobs.move(db, jobId, 'held', found.disagreement);
    return 'held';
  }
  const statements = await keepStatements(parts.artifacts, job, recipe, reported, found.verdicts);
  await verdicts.put(db, jobId, found.verdicts, statements);
  const next = plannedRuns(recipe.models, found.verdicts);
  if (placesBeyond(next, there).length > 0) return topUp(parts, jobId, next);
  await jobs.move(db, jobId, 'judged', summary(found.verdicts));
  const rungs = found.verdicts.map(({ model, rung }) => ({ model, rung }));
  log.info({ jobId, source: job.source, version: job.version, runs: reported.length, rungs }, 'judged');
  return 'judged';
}

async function topUp(
  { db, log }: JudgeParts,
  jobId: string,
  places: readonly RunPlace[],
): Promise<Attention> {
  const made = await runs.add(db, jobId, places);
  if (made.length === 0) return 'nothing';
  log.info({ jobId, wanted: places.map(placeInWords), made: made.length }, 'runs made');
  return 'more-runs';
}

function readRecipe(control: string): Recipe {
  const { recipe, faults } = parseRecipe(control);
  // The api has parsed the very same text before it was recorded.
  if (recipe === null) throw new Problem('invalid-recipe', faults[0]?.message ?? 'the recipe has faults');
  return recipe;
}

/** The api recorded the recipe's text once, before the run that brought it began to train, and refuses runs that find another. */
const registrationOf = ({ control, controlAt }: jobs.JobDetail): Registration => ({
  recipeSha256: createHash('sha256').update(control!).digest('hex'),
  at: controlAt!.toISOString(),
  by: 'farm',
});

/**
 * Keeps an in-toto statement for each verdict (unsigned so far) and returns its digest by model. Its time is that of the last
 * run that was weighed, so that judging again makes the very same bytes.
 */
async function keepStatements(
  artifacts: ArtifactStore,
  job: jobs.JobDetail,
  recipe: Recipe,
  reported: readonly runs.RunDetail[],
  found: readonly ModelVerdict[],
): Promise<Map<string, string>> {
  const { jobId, source, version, suite } = job;
  const ended = reported.map(({ endedAt }) => endedAt?.getTime() ?? 0);
  const digests = new Map<string, string>();
  for (const verdict of found) {
    if (verdict.shipped === null && verdict.retrains.length === 0) continue;
    const statement = verdictStatement({
      jobId,
      source,
      version,
      suite,
      jobSeed: job.jobSeed ?? '',
      recipeSha256: registrationOf(job).recipeSha256,
      fileName: recipe.models.find(({ name }) => name === verdict.model)?.file.path ?? verdict.model,
      verdict,
      provenanceSha256s: reported.flatMap(({ provenanceSha256 }) => provenanceSha256 ?? []),
      judgedAt: new Date(Math.max(...ended)),
    });
    const { sha256 } = await artifacts.putText(printStatement(statement));
    digests.set(verdict.model, sha256);
  }
  return digests;
}

const summary = (found: readonly ModelVerdict[]): string =>
  found.length === 1 ? found[0]!.sentence : `${found.length} models judged: ${countRungs(found)}`;

function countRungs(found: readonly ModelVerdict[]): string {
  const counts = new Map<string, number>();
  for (const { rung } of found) counts.set(rung, (counts.get(rung) ?? 0) + 1);
  return [...counts].map(([rung, count]) => `${count} ${rung}`).join(', ');
}
