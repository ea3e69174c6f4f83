// From the reported runs of a job to a verdict on each model: the arrays are fetched here, the pure judgement is shared/verdict's. The
// scheduler and a run at home judge by this.
import type { RunPlace } from '@retraind/shared/job/run-place';
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import { sameFiles } from '@retraind/shared/verdict/bytes';
import { declaredRuns } from '@retraind/shared/verdict/declared-run';
import type {
  Evidence,
  ModelVerdict,
  Registration,
  WithheldRecords,
} from '@retraind/shared/verdict/evidence';
import type { JudgedFile, JudgedRun, UnmadeRun } from '@retraind/shared/verdict/judged';
import { hasDeclaredSeed } from '@retraind/shared/verdict/run-plan';
import { judgeModel } from '@retraind/shared/verdict/verdict';
import type { WeightComparison } from '@retraind/shared/verdict/weight-distances';
import type { ArtifactStore } from './artifacts.ts';
import { compareWeights } from './compare-weights.ts';
import { readJudgedFile } from './judged-file.ts';

/** A run with what it reported. */
export interface ReportedRun extends Pick<RunPlace, 'purpose' | 'seedIndex' | 'numerics'> {
  /** For messages. */
  runId: string;
  seed: number;
  taints: readonly string[];
  outputs: readonly { model: string; evidence: Evidence }[];
  references: readonly { model: string; evidence: Evidence }[];
  withheld: readonly WithheldRecords[] | null;
}

export interface JobToJudge {
  models: readonly RecipeModel[];
  /** In any order. */
  runs: readonly ReportedRun[];
  unmade: readonly UnmadeRun[];
  registered: Registration;
}

/** Verdicts of all models, in the recipe's order; or why the runs cannot be weighed together. */
export const judgeModels = async (
  artifacts: ArtifactStore,
  { models, runs, unmade, registered }: JobToJudge,
): Promise<{ verdicts: ModelVerdict[] } | { disagreement: string }> => {
  const verdicts: ModelVerdict[] = [];
  for (const model of models) {
    const shipped = shippedEvidence(model, runs);
    if (shipped !== null && 'disagreement' in shipped) return shipped;
    // One model at a time: a package may ship a hundred, and each has its arrays.
    const reference = shipped && (await readJudgedFile(artifacts, shipped.evidence, true));
    const judged: JudgedRun[] = [];
    for (const run of runs) {
      const output = run.outputs.find((each) => each.model === model.name);
      if (output === undefined) return { disagreement: `run ${run.runId} reported no model “${model.name}”` };
      const { purpose, seed, seedIndex, numerics, taints, withheld } = run;
      const file = await readJudgedFile(artifacts, output.evidence, false);
      judged.push({ ...file, purpose, seed, seedIndex, numerics, taints, withheld: withheld ?? [] });
    }
    const input = { model, reference, runs: judged, unmade, registered };
    const weights = await weightsOf(artifacts, model, reference, declaredRuns(input));
    verdicts.push(judgeModel({ ...input, ...(weights && { weights }) }));
  }
  return { verdicts };
};

/** The shipped file as the first run saw it. All runs must have seen the same bytes; a dependence run does not look at it. */
const shippedEvidence = (
  model: RecipeModel,
  runs: readonly ReportedRun[],
): { evidence: Evidence } | { disagreement: string } | null => {
  const seen = runs.flatMap(({ runId, references }) =>
    references.filter((each) => each.model === model.name).map(({ evidence }) => ({ runId, evidence })),
  );
  const first = seen[0];
  if (first === undefined) return null;
  const other = seen.find(({ evidence }) => !sameFiles(evidence, first.evidence));
  if (other === undefined) return first;
  return {
    disagreement: `runs ${first.runId} and ${other.runId} saw different shipped files of model “${model.name}”`,
  };
};

/** Null where the lineage rung has nothing to weigh yet. */
const weightsOf = async (
  artifacts: ArtifactStore,
  model: RecipeModel,
  reference: JudgedFile | null,
  reruns: readonly JudgedRun[],
): Promise<WeightComparison | null> => {
  if (reference === null || reruns.length === 0 || !hasDeclaredSeed(model)) return null;
  const refs = [reference, ...reruns].map(({ evidence }) => evidence.weights);
  const known = refs.filter((ref) => ref !== undefined);
  if (known.length < refs.length) {
    return {
      why: `the evaluator read no tensors of ${refs[0] === undefined ? 'the shipped file' : 'a rerun'}`,
    };
  }
  return await compareWeights(artifacts, known);
};
