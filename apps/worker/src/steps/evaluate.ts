// Step 4: what the retrained and the shipped files answer, measured by the farm's own evaluator in the sandbox: the package's code
// has no say in the numbers. The reference's evidence is made once for each reference, set of inputs and evaluator.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import { type Evidence, evidenceSets } from '@retraind/shared/verdict/evidence';
import { broken } from '../breakage.ts';
import { digestOf } from '../compression.ts';
import { nodeMount } from '../programs.ts';
import type { EvaluationAnswer, EvaluationRequest } from '../runtime/evaluate.ts';
import type { Mount } from '../sandbox/sandbox.ts';
import type { RunContext } from './context.ts';
import type { Trained } from './train.ts';
import type { Unpacked } from './unpack.ts';

export interface Evaluated {
  model: string;
  /** The model file itself. */
  path: string;
  evidence: Evidence;
  /** Predictions, one file a set, named by digest in the evidence. */
  predictions: string[];
}

export interface Evaluations {
  outputs: Evaluated[];
  references: Evaluated[];
}

const evaluateSeconds = 3_600;
const logBytes = 65_536;
const answerBytes = 2 ** 20;

/** Whether predictions are compared at all; else digests say everything there is to say. */
const isStatistical = (model: RecipeModel): boolean =>
  model.comparison !== 'bitwise' &&
  model.task !== 'opaque' &&
  model.evaluationData !== null &&
  model.evaluationInputs !== null;

/** Formats whose tensors are told from their container; the first two by the name alone. */
const hasTensors = (model: RecipeModel): boolean => /\.(onnx|safetensors|weights|wd)$/i.test(model.output);
const mayBeOther = (model: RecipeModel): boolean => !/\.(onnx|safetensors)$/i.test(model.output);

const requestOf = (
  model: RecipeModel,
  jobSeed: string,
  paths: { model: string; ort: string; out: string; data: string },
): EvaluationRequest => {
  const under = (file: RecipeModel['evaluationInputs']) =>
    file && { ...file, path: join(paths.data, model.evaluationData!, file.path) };
  const inputs = isStatistical(model) ? under(model.evaluationInputs) : null;
  return {
    model: paths.model,
    ortFolder: paths.ort,
    outFolder: paths.out,
    mayBeOther: mayBeOther(model),
    statistical: inputs && {
      task: model.task,
      metric: model.metric,
      inputs,
      targets: under(model.evaluationTargets),
      jobSeed,
    },
  };
};

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
  await writeFile(join(folder, 'request.json'), JSON.stringify(requestOf(model, jobSeed, paths)));
  let said = '';
  const ending = await sandbox.run({
    argv: [
      inside(mounts.node),
      join(inside(mounts.program), 'evaluate.mjs'),
      join(paths.out, 'request.json'),
    ],
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/nonexistent', OMP_NUM_THREADS: '1' },
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
    return {
      refused: `evaluating it passes a limit (${ending.reason})`,
      tensorSha256: null,
      sets: {},
      metric: null,
      logLoss: null,
      faults: [],
    };
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
  const evidence: Evidence = {
    evaluator: context.programs.evaluator.version,
    file: { sha256, bytes },
    tensorSha256: null,
    sets: {},
    metric: null,
    logLoss: null,
    faults: [],
  };
  if (!isStatistical(model) && !hasTensors(model)) return { evidence, refused: null };
  const answer = await runEvaluator(context, unpacked, model, file, folder);
  evidence.tensorSha256 = answer.tensorSha256;
  evidence.faults = answer.refused === null ? answer.faults : [answer.refused];
  if (answer.refused !== null) return { evidence, refused: answer.refused };
  evidence.metric = answer.metric;
  evidence.logLoss = answer.logLoss;
  if (answer.classExamples) evidence.classExamples = answer.classExamples;
  for (const set of evidenceSets) {
    const shape = answer.sets[set];
    if (!shape) continue;
    const predictions = join(folder, `${set}.f32`);
    const digest = await digestOf(predictions, 'plain');
    if (digest.bytes !== shape.rows * shape.columns * 4)
      throw broken('farm', 'internal', `The evaluator left ${digest.bytes} bytes for the ${set} set.`);
    evidence.sets[set] = { sha256: digest.sha256, rows: shape.rows, columns: shape.columns };
  }
  return { evidence, refused: null };
};

const predictionsIn = (folder: string, evidence: Evidence): string[] =>
  evidenceSets.filter((set) => evidence.sets[set]).map((set) => join(folder, `${set}.f32`));

/** The reference's evidence from the cache, else made and kept there. */
const evaluateReference = async (
  context: RunContext,
  unpacked: Unpacked,
  model: RecipeModel,
  file: string,
  folder: string,
): Promise<Evaluated> => {
  const { sha256 } = await digestOf(file, 'plain');
  const pins = unpacked.recipe.datasets.find(({ name }) => name === model.evaluationData)?.files ?? [];
  const asked = isStatistical(model)
    ? [model.task, model.metric, model.evaluationInputs, model.evaluationTargets, unpacked.jobSeed, pins]
    : [];
  const key = createHash('sha256')
    .update(JSON.stringify([sha256, context.programs.evaluator.version, asked]))
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
  return { model: model.name, path: file, evidence, predictions: predictionsIn(kept, evidence) };
};

export const evaluateStep = async (
  context: RunContext,
  unpacked: Unpacked,
  trained: Trained,
): Promise<Evaluations> => {
  const { folders, say } = context;
  const { models } = unpacked.recipe;
  const outputs: Evaluated[] = [];
  const references: Evaluated[] = [];
  const total = models.length + unpacked.references.length;
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
    outputs.push({ model: model.name, path, evidence, predictions: predictionsIn(folder, evidence) });
    say(evidenceLine('retrained', model, evidence));
  }
  for (const [i, { model, path }] of unpacked.references.entries()) {
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
