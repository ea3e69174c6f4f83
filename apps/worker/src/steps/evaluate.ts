// Step 4: what the retrained and the shipped files answer, measured by the farm's own evaluator in the sandbox: the package's code
// has no say in the numbers. The reference's evidence is made once for each reference, set of inputs and evaluator.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFile, RecipeModel } from '@retraind/shared/recipe/recipe';
import type { Evidence } from '@retraind/shared/verdict/evidence';
import { broken } from '../breakage.ts';
import { digestOf } from '../compression.ts';
import { bareEvidence, collectEvidence, evidenceFiles } from '../evidence-files.ts';
import { nodeMount } from '../programs.ts';
import {
  type EvaluationAnswer,
  type EvaluationRequest,
  emptyAnswer,
  type StatisticalRequest,
} from '../runtime/evaluation.ts';
import type { Mount } from '../sandbox/sandbox.ts';
import type { RunContext } from './context.ts';
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

const evaluateSeconds = 3_600;
const logBytes = 65_536;
/** Names of 10,000 tensors. */
const answerBytes = 2 ** 24;

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

/** Runs the evaluator on one file. `folder`: gets answer and predictions. */
const runEvaluator = async (
  context: RunContext,
  { recipe, jobSeed }: Unpacked,
  model: RecipeModel,
  file: string,
  folder: string,
): Promise<EvaluationAnswer> => {
  const { sandbox, programs, folders } = context;
  const { evaluator } = programs;
  const modules = '/opt/retrain/evaluator-modules/node_modules';
  const mounts = {
    node: nodeMount(programs),
    program: { source: evaluator.folder, target: '/opt/retrain/evaluator', writable: false },
    ort: { source: evaluator.ortFolder, target: `${modules}/onnxruntime-node`, writable: false },
    common: { source: evaluator.ortCommonFolder, target: `${modules}/onnxruntime-common`, writable: false },
    model: { source: file, target: '/build/model/file.onnx', writable: false },
    data: { source: folders.data, target: '/build/data', writable: false },
    out: { source: folder, target: '/build/out', writable: true },
  } satisfies Record<string, Mount>;
  const inside = (mount: Mount): string => sandbox.pathInside(mount);
  const paths = {
    model: inside(mounts.model),
    ort: inside(mounts.ort),
    out: inside(mounts.out),
    data: inside(mounts.data),
  };
  const request: EvaluationRequest = {
    model: paths.model,
    ortFolder: paths.ort,
    outFolder: paths.out,
    mayBeOther: mayBeOther(model),
    keepWeights: model.seed !== null && model.comparison !== 'bitwise',
    statistical: statisticalRequest(model, jobSeed, paths.data),
  };
  await writeFile(join(folder, 'request.json'), JSON.stringify(request));
  let said = '';
  const ending = await sandbox.run({
    argv: [
      inside(mounts.node),
      join(inside(mounts.program), 'evaluate.mjs'),
      join(paths.out, 'request.json'),
    ],
    // What is decompressed lies on the disk, under its limit, and not in the memory that /tmp is.
    env: {
      PATH: '/usr/bin:/bin',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      HOME: '/nonexistent',
      OMP_NUM_THREADS: '1',
      TMPDIR: paths.out,
    },
    cwd: paths.out,
    mounts: Object.values(mounts),
    hidden: [],
    limits: {
      seconds: evaluateSeconds,
      silenceSeconds: evaluateSeconds,
      logBytes,
      diskBytes: 8 * 2 ** 30,
      memoryBytes: Math.max(recipe.memoryBytes, 4 * 2 ** 30),
    },
    signsOfLife: [],
    onOutput: (chunk) => {
      said += chunk.toString('utf8');
    },
    signal: context.signal,
  });
  context.signal.throwIfAborted();
  const answerFile = join(folder, 'answer.json');
  if (
    ending.reason === 'exited' &&
    ending.exitCode === 0 &&
    existsSync(answerFile) &&
    (await stat(answerFile)).size <= answerBytes
  ) {
    return JSON.parse(await readFile(answerFile, 'utf8')) as EvaluationAnswer;
  }
  const last = said.trim().split('\n').slice(-5).join(' | ');
  if (ending.reason === 'memory-limit' || ending.reason === 'time-limit' || ending.reason === 'disk-limit') {
    return emptyAnswer(`evaluating it passes a limit (${ending.reason})`);
  }
  throw broken(
    'farm',
    'internal',
    `The evaluator ended (${ending.reason}, status ${ending.exitCode}): ${last.slice(0, 2_000)}`,
  );
};

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
  const answer = await runEvaluator(context, unpacked, model, file, folder);
  const { refused } = answer;
  for (const note of answer.notes) context.say(`evaluate: ${model.name}: ${note}\n`);
  if (refused !== null) return { evidence: { ...bare, faults: [refused] }, refused };
  return { evidence: await collectEvidence(folder, answer, bare), refused };
};

/** The reference's evidence from the cache, else made and kept there. */
const evaluateReference = async (
  context: RunContext,
  unpacked: Unpacked,
  model: RecipeModel,
  file: string,
  folder: string,
): Promise<Evaluated> => {
  const { sha256 } = await digestOf(file, 'plain');
  const asked = statisticalRequest(model, unpacked.jobSeed, '');
  const read = asked === null ? [] : [model.evaluationData, asked.train && model.trainingData];
  const pins = read.map((name) => unpacked.recipe.datasets.find((dataset) => dataset.name === name)?.files);
  const key = createHash('sha256')
    .update(JSON.stringify([sha256, context.programs.evaluator.version, asked, pins, model.seed !== null]))
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
  return { model: model.name, path: file, evidence, artifacts: evidenceFiles(kept, evidence) };
};

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
        'Let the target write ONNX as one file.',
      );
    }
    outputs.push({ model: model.name, path, evidence, artifacts: evidenceFiles(folder, evidence) });
    say(evidenceLine('retrained', model, evidence));
  }
  for (const [i, { model, path }] of shipped.entries()) {
    context.progress('evaluate', (models.length + i) / total);
    const reference = await evaluateReference(
      context,
      unpacked,
      model,
      path,
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
