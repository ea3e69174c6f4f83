// From the reported runs of a job to its verdicts. Nothing here is remembered between calls and every write may be repeated,
// so a scheduler that is killed at any line judges again and finds the same: artifacts are named by digest, a verdict that
// says what the last one said is not stored twice, and runs are topped up to a number, not by a number.

import { createHash } from 'node:crypto';
import type { ArtifactStore } from '@retraind/host/artifacts';
import type { Database } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { printStatement, verdictStatement } from '@retraind/shared/attest/statement';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { Recipe, RecipeModel } from '@retraind/shared/recipe/recipe';
import {
  type Evidence,
  evidenceSets,
  type ModelVerdict,
  type Registration,
} from '@retraind/shared/verdict/evidence';
import type { JudgedFile, JudgedRun } from '@retraind/shared/verdict/judged';
import { runsWanted, seedIndexOfRun } from '@retraind/shared/verdict/looks';
import { judgeModel } from '@retraind/shared/verdict/verdict';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';

export interface JudgeParts {
  db: Database;
  artifacts: ArtifactStore;
  log: Logger;
}

/** One prediction array may have this many bytes: 10,000 patch probes of 1,000 classes are 40 MB. */
const largestPredictions = 512 * 1024 * 1024;

export type Attention = 'nothing' | 'more-runs' | 'judged' | 'held';

/**
 * Does what a job needs next: its first run, the runs of its current look, or a judgement. Called whenever a job may have
 * changed; does nothing where nothing is to do.
 */
export async function attend(parts: JudgeParts, jobId: string): Promise<Attention> {
  const { db, log } = parts;
  const job = await jobs.byId(db, jobId);
  if (job === null || (job.state !== 'needs-retrain' && job.state !== 'retraining')) return 'nothing';
  const all = await runs.ofJob(db, jobId);
  const recipe = job.control === null ? null : readRecipe(job.control);
  const reported = all.filter(({ state }) => state === 'reported');
  const live = all.filter(({ state }) => state === 'waiting' || state === 'leased');

  // The recipe of a new version is unknown until a first run has seen it.
  const known = recipe === null ? [] : (await verdicts.ofJob(db, jobId)).map(({ verdict }) => verdict);
  const wanted = recipe === null ? 1 : runsWanted(recipe.models, known);
  if (reported.length + live.length < wanted) return topUp(parts, jobId, wanted, recipe);
  if (recipe === null || live.length > 0) return 'nothing';

  const found = await judge(parts, job, recipe, reported);
  if ('disagreement' in found) {
    log.error({ jobId, disagreement: found.disagreement }, 'runs disagree');
    await jobs.move(db, jobId, 'held', found.disagreement);
    return 'held';
  }
  const statements = await keepStatements(parts.artifacts, job, recipe, reported, found.verdicts);
  await verdicts.put(db, jobId, found.verdicts, statements);
  const next = runsWanted(recipe.models, found.verdicts);
  if (reported.length < next) return topUp(parts, jobId, next, recipe);
  await jobs.move(db, jobId, 'judged', summary(found.verdicts));
  const rungs = found.verdicts.map(({ model, rung }) => ({ model, rung }));
  log.info({ jobId, source: job.source, version: job.version, runs: reported.length, rungs }, 'judged');
  return 'judged';
}

async function topUp(
  { db, log }: JudgeParts,
  jobId: string,
  wanted: number,
  recipe: Recipe | null,
): Promise<Attention> {
  const isOneSeed = recipe !== null && seedIndexOfRun(recipe.models, 2) === 1;
  const made = await runs.addUpTo(db, jobId, wanted, isOneSeed);
  if (made.length === 0) return 'nothing';
  log.info({ jobId, wanted, made: made.length }, 'runs made');
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

/** Verdicts of all models, in the recipe's order; or why the runs cannot be weighed together. */
async function judge(
  parts: JudgeParts,
  job: jobs.JobDetail,
  recipe: Recipe,
  reported: readonly runs.RunDetail[],
): Promise<{ verdicts: ModelVerdict[] } | { disagreement: string }> {
  const found: ModelVerdict[] = [];
  const registered = registrationOf(job);
  for (const model of recipe.models) {
    const shipped = shippedEvidence(model, reported);
    if (shipped !== null && 'disagreement' in shipped) return shipped;
    // One model at a time: a package may ship a hundred, and each has its arrays.
    const reference = shipped === null ? null : await load(parts.artifacts, shipped.evidence);
    const judged: JudgedRun[] = [];
    for (const run of reported) {
      const output = run.outputs.find((each) => each.model === model.name);
      if (output === undefined) return { disagreement: `run ${run.runId} reported no model “${model.name}”` };
      const file = await load(parts.artifacts, output.evidence);
      judged.push({ ...file, seed: run.seed!, seedIndex: run.seedIndex, taints: run.taints });
    }
    found.push(judgeModel({ model, reference, runs: judged, registered }));
  }
  return { verdicts: found };
}

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

/** The shipped file as the first seed's run saw it. All runs must have seen the same bytes. */
function shippedEvidence(
  model: RecipeModel,
  reported: readonly runs.RunDetail[],
): { evidence: Evidence } | { disagreement: string } | null {
  const seen = reported.flatMap(({ runId, references }) =>
    references.filter((each) => each.model === model.name).map(({ evidence }) => ({ runId, evidence })),
  );
  const first = seen[0];
  if (first === undefined) return null;
  const other = seen.find(({ evidence }) => evidence.file.sha256 !== first.evidence.file.sha256);
  if (other === undefined) return first;
  return {
    disagreement: `runs ${first.runId} and ${other.runId} saw different shipped files of model “${model.name}”`,
  };
}

async function load(artifacts: ArtifactStore, evidence: Evidence): Promise<JudgedFile> {
  const predictions: JudgedFile['predictions'] = {};
  for (const set of evidenceSets) {
    const ref = evidence.sets[set];
    if (ref === undefined) continue;
    const bytes = await artifacts.readWhole(ref.sha256, largestPredictions);
    if (bytes.length !== ref.rows * ref.columns * 4) {
      throw new Problem(
        'invalid-data',
        `predictions ${ref.sha256} have ${bytes.length} bytes, not ${ref.rows} × ${ref.columns} float32`,
      );
    }
    predictions[set] = floats(bytes);
  }
  return { evidence, predictions };
}

/** Little-endian float32, copied so that the array is aligned. */
function floats(bytes: Buffer): Float32Array {
  const values = new Float32Array(bytes.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = bytes.readFloatLE(i * 4);
  return values;
}

const summary = (found: readonly ModelVerdict[]): string =>
  found.length === 1 ? found[0]!.sentence : `${found.length} models judged: ${countRungs(found)}`;

function countRungs(found: readonly ModelVerdict[]): string {
  const counts = new Map<string, number>();
  for (const { rung } of found) counts.set(rung, (counts.get(rung) ?? 0) + 1);
  return [...counts].map(([rung, count]) => `${count} ${rung}`).join(', ');
}
