// Judges a local job: the same pure function that the farm's scheduler calls, on predictions read from the results folder.
import type { ArtifactStore } from '@retraind/host/artifacts';
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import {
  type Evidence,
  evidenceSets,
  type ModelVerdict,
  type Registration,
} from '@retraind/shared/verdict/evidence';
import type { JudgedFile, JudgedRun } from '@retraind/shared/verdict/judged';
import { judgeModel } from '@retraind/shared/verdict/verdict';
import type { ReportOutcome } from '@retraind/shared/wire/messages';

export interface FinishedRun {
  seedIndex: number;
  outcome: Extract<ReportOutcome, { kind: 'reported' }>;
}

const maxPredictionBytes = 2 ** 31;

const load = async (artifacts: ArtifactStore, evidence: Evidence): Promise<JudgedFile> => {
  const predictions: JudgedFile['predictions'] = {};
  for (const set of evidenceSets) {
    const ref = evidence.sets[set];
    if (!ref) continue;
    const bytes = await artifacts.readWhole(ref.sha256, maxPredictionBytes);
    predictions[set] = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    );
  }
  return { evidence, predictions };
};

/** One verdict a model, in the recipe's order. */
export const judgeRuns = async (
  models: readonly RecipeModel[],
  runs: readonly FinishedRun[],
  artifacts: ArtifactStore,
  registered: Registration,
): Promise<ModelVerdict[]> => {
  const verdicts: ModelVerdict[] = [];
  for (const model of models) {
    const reference = runs[0]?.outcome.references.find((one) => one.model === model.name);
    const judged: JudgedRun[] = [];
    for (const { seedIndex, outcome } of runs) {
      const output = outcome.outputs.find((one) => one.model === model.name);
      if (!output) continue;
      judged.push({
        ...(await load(artifacts, output.evidence)),
        seed: outcome.seed,
        seedIndex,
        taints: outcome.taints,
      });
    }
    verdicts.push(
      judgeModel({
        model,
        reference: reference ? await load(artifacts, reference.evidence) : null,
        runs: judged,
        registered,
      }),
    );
  }
  return verdicts;
};
