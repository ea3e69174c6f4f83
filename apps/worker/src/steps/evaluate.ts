// Step 4: what the retrained and the shipped files answer, measured by the farm's own evaluator in the sandbox: the package's code
// has no say in the numbers. The reference's evidence is made once for each reference, set of inputs and evaluator.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DataFile, RecipeModel } from '@retraind/shared/recipe/recipe';
import type { Evidence } from '@retraind/shared/verdict/evidence';
import { broken } from '../breakage.ts';
import { digestOf } from '../compression.ts';
import { bareEvidence, collectEvidence, evidenceFiles } from '../evidence-files.ts';
import type { StatisticalRequest } from '../runtime/evaluation.ts';
import { describeCompanions } from '../source/companions.ts';
import type { Reference } from '../source/shipped-files.ts';
import type { RunContext } from './context.ts';
import { askEvaluator } from './evaluator.ts';
import type { Trained } from './train.ts';
import type { Unpacked } from './unpack.ts';

export interface Evaluated {
  model: string;
  /** The model file itself. */
  path: string;
  evidence: Evidence;
  /** Predictions, true answers and whatever else the evidence names by digest. */
  artifacts: string[];
}

export interface Evaluations {
  outputs: Evaluated[];
  references: Evaluated[];
}

/** On what a model is asked, its paths below the folder of datasets; null where digests say everything there is to say. */
const statisticalRequest = (model: RecipeModel, jobSeed: string, data: string): StatisticalRequest | null => {
  const { task, metric, net, evaluationData, evaluationInputs, evaluationTargets, slices } = model;
  if (model.comparison === 'bitwise' || task === 'opaque') return null;
  if (evaluationData === null || evaluationInputs === null || evaluationTargets === null) return null;
  const under = (dataset: string, file: DataFile): DataFile => ({
    ...file,
    path: join(data, dataset, file.path),
  });
  const { trainingData, trainingInputs, trainingTargets } = model;
  return {
    task,
    metric,
    net,
    jobSeed,
    test: {
      inputs: under(evaluationData, evaluationInputs),
      targets: under(evaluationData, evaluationTargets),
    },
    train:
      trainingData === null || trainingInputs === null || trainingTargets === null
        ? null
        : {
            inputs: under(trainingData, trainingInputs),
            targets: under(trainingData, trainingTargets),
          },
    slices: slices === null || slices === 'label' ? null : under(evaluationData, slices),
  };
};

/** Formats whose tensors are told from their container; the first two by the name alone. */
const hasTensors = (model: RecipeModel): boolean => /\.(onnx|safetensors|weights|wd)$/i.test(model.output);
const mayBeOther = (model: RecipeModel): boolean => !/\.(onnx|safetensors)$/i.test(model.output);

/** Evidence on one file in a folder of its own, which is written once. */
const evaluateFile = async (
  context: RunContext,
  unpacked: Unpacked,
  model: RecipeModel,
  file: string,
  folder: string,
): Promise<{ evidence: Evidence; refused: string | null }> => {
  await mkdir(folder, { recursive: true });
  const { sha256, bytes } = await digestOf(file, 'plain');
  const bare = bareEvidence(context.programs.evaluator.version, { sha256, bytes });
  if (statisticalRequest(model, unpacked.jobSeed, '') === null && !hasTensors(model)) {
    return { evidence: bare, refused: null };
  }
  const { recipe, jobSeed } = unpacked;
  const answer = await askEvaluator(context, {
    path: file,
    folder,
    memoryBytes: recipe.memoryBytes,
    request: (data) => ({
      mayBeOther: mayBeOther(model),
      keepWeights: model.seed !== null && model.comparison !== 'bitwise',
      statistical: statisticalRequest(model, jobSeed, data),
    }),
  });
  const { refused } = answer;
  for (const note of answer.notes) context.say(`evaluate: ${model.name}: ${note}\n`);
  const companions = await describeCompanions(dirname(file), answer.companions);
  if (companions.length > 0) bare.file.companions = companions;
  if (refused !== null) return { evidence: { ...bare, faults: [refused] }, refused };
  return { evidence: await collectEvidence(folder, answer, bare), refused };
};

/** The reference's evidence from the cache, else made and kept there. */
const evaluateReference = async (
  context: RunContext,
  unpacked: Unpacked,
  model: RecipeModel,
  { path: file, sha256, companions }: Reference,
  folder: string,
): Promise<Evaluated> => {
  const asked = statisticalRequest(model, unpacked.jobSeed, '');
  const read = asked === null ? [] : [model.evaluationData, asked.train && model.trainingData];
  const pins = read.map((name) => unpacked.recipe.datasets.find((dataset) => dataset.name === name)?.files);
  const key = createHash('sha256')
    .update(
      JSON.stringify([
        sha256,
        context.programs.evaluator.version,
        asked,
        pins,
        model.seed !== null,
        companions,
      ]),
    )
    .digest('hex');
  const kept = join(context.cache, 'evidence', key);
  if (!existsSync(kept)) {
    const { evidence } = await evaluateFile(context, unpacked, model, file, folder);
    await writeFile(join(folder, 'evidence.json'), JSON.stringify(evidence));
    const draft = `${kept}.${randomUUID()}`;
    await mkdir(join(context.cache, 'evidence'), { recursive: true });
    await cp(folder, draft, { recursive: true });
    // Another slot may have kept the same meanwhile: either is as good.
    await rename(draft, kept).catch(() => rm(draft, { recursive: true, force: true }));
  }
  const evidence = JSON.parse(await readFile(join(kept, 'evidence.json'), 'utf8')) as Evidence;
  return {
    model: model.name,
    path: file,
    evidence,
    artifacts: [...evidenceFiles(kept, evidence), ...companionPaths(file, evidence)],
  };
};

/** Files of external data beside a model file. */
const companionPaths = (path: string, { file }: Evidence): string[] =>
  (file.companions ?? []).map((companion) => join(dirname(path), companion.path));

export const evaluateStep = async (
  context: RunContext,
  unpacked: Unpacked,
  trained: Trained,
): Promise<Evaluations> => {
  const { folders, say } = context;
  // Of a dependence run nothing but its bytes is asked, and its data may be shortened.
  const isDependence = unpacked.withheld !== null;
  const models = unpacked.recipe.models.map((model) =>
    isDependence ? { ...model, comparison: 'bitwise' as const } : model,
  );
  const shipped = isDependence ? [] : unpacked.references;
  const outputs: Evaluated[] = [];
  const references: Evaluated[] = [];
  const total = models.length + shipped.length;
  for (const [i, model] of models.entries()) {
    context.progress('evaluate', i / total);
    const folder = join(folders.evidence, `output-${i + 1}`);
    const path = trained.outputs[i]!;
    const { evidence, refused } = await evaluateFile(context, unpacked, model, path, folder);
    if (refused !== null) {
      throw broken(
        'recipe',
        'invalid-model',
        `Model ${model.name}: the retrained file ${model.output} cannot be read: ${refused}.`,
        'Let the target write a model that can be read: docs/reference/recipe.md says which.',
      );
    }
    outputs.push({
      model: model.name,
      path,
      evidence,
      artifacts: [...evidenceFiles(folder, evidence), ...companionPaths(path, evidence)],
    });
    say(evidenceLine('retrained', model, evidence));
  }
  for (const [i, one] of shipped.entries()) {
    const { model } = one;
    context.progress('evaluate', (models.length + i) / total);
    const reference = await evaluateReference(
      context,
      unpacked,
      model,
      one,
      join(folders.evidence, `reference-${i + 1}`),
    );
    references.push(reference);
    say(evidenceLine('shipped', model, reference.evidence));
  }
  return { outputs, references };
};

const evidenceLine = (
  which: string,
  model: RecipeModel,
  { file, metric, logLoss, faults }: Evidence,
): string => {
  const numbers =
    metric === null
      ? ''
      : `, ${metric.name} ${metric.value.toFixed(4)}${logLoss === null ? '' : `, log loss ${logLoss.toFixed(4)}`}`;
  return `evaluate: ${model.name}, ${which}: sha256 ${file.sha256}${numbers}${faults.map((fault) => `; ${fault}`).join('')}\n`;
};
