// Evidence of a pooled model, by the very evaluator that the worker runs, in a child process; kept beside the pool, by the
// digests of evaluator and model, so that a second call asks nothing again.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactStore } from '@retraind/host/artifacts';
import type { DataFile, RecipeModel } from '@retraind/shared/recipe/recipe';
import { evidenceSets, labelledSets } from '@retraind/shared/verdict/evidence';
import type { JudgedFile } from '@retraind/shared/verdict/judged';
import { bareEvidence, collectEvidence } from '@retraind/worker/evidence-files';
import { bundleEvaluator, type Evaluator } from '@retraind/worker/runtime/bundle';
import type { EvaluationAnswer, EvaluationRequest, LabelledData } from '@retraind/worker/runtime/evaluation';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface EvaluationOptions {
  model: RecipeModel;
  /** Folder of evaluation and training data. */
  data: string;
  jobSeed: string;
  jobs: number;
  cache: string;
  /** For the lineage rung: all weights go here, and no trigger is searched for. */
  weights?: ArtifactStore;
  onEvaluated(done: number, total: number): void;
}

/** Evaluates the files at `paths`, `jobs` at a time; the answers are in their order. Throws where the evaluator refuses one. */
export const evaluateAll = async (
  paths: readonly string[],
  options: EvaluationOptions,
): Promise<JudgedFile[]> => {
  const evaluator = await bundleEvaluator(options.cache);
  const files = new Array<JudgedFile>(paths.length);
  // Two populations may hold the same bytes: they are asked once, and share their arrays.
  const known = new Map<string, Promise<JudgedFile>>();
  let next = 0;
  let done = 0;
  options.onEvaluated(0, paths.length);
  const line = async (): Promise<void> => {
    for (let i = next++; i < paths.length; i = next++) {
      const bytes = readFileSync(paths[i]!);
      const file = { sha256: sha256(bytes), bytes: bytes.length };
      const asked = known.get(file.sha256) ?? evaluateOne(paths[i]!, file, evaluator, options);
      known.set(file.sha256, asked);
      files[i] = await asked;
      done += 1;
      options.onEvaluated(done, paths.length);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, line));
  return files;
};

const evaluateOne = async (
  path: string,
  file: { sha256: string; bytes: number },
  evaluator: Evaluator,
  { model, data, jobSeed, cache, weights }: EvaluationOptions,
): Promise<JudgedFile> => {
  const key = sha256(Buffer.from(`${evaluator.version}/${jobSeed}/${file.sha256}`)).slice(0, 32);
  const folder = join(cache, 'evidence', key);
  if (!existsSync(folder)) {
    const part = `${folder}.part-${process.pid}`;
    mkdirSync(part, { recursive: true });
    const under = (file: DataFile): DataFile => ({ ...file, path: join(data, file.path) });
    const request: EvaluationRequest = {
      model: path,
      ortFolder: evaluator.ortFolder,
      outFolder: part,
      keepWeights: weights !== undefined,
      statistical: {
        task: model.task,
        metric: model.metric,
        net: model.net,
        jobSeed,
        withoutTriggers: weights !== undefined,
        test: { inputs: under(model.evaluationInputs!), targets: under(model.evaluationTargets!) },
        train: trainOf(model, under),
        slices: model.slices === null || model.slices === 'label' ? null : under(model.slices),
      },
    };
    writeFileSync(join(part, 'request.json'), JSON.stringify(request));
    try {
      await runEvaluator(join(evaluator.folder, 'evaluate.mjs'), join(part, 'request.json'));
      renameSync(part, folder);
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  const answer = JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')) as EvaluationAnswer;
  if (answer.refused !== null) throw new Error(`${path}: ${answer.refused}`);
  if (weights) await weights.putFile(join(folder, 'weights.f32'));
  return judgedFile(folder, answer, evaluator.version, file);
};

const runEvaluator = (program: string, request: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, request], { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the evaluator ended with ${code}`)),
    );
  });

const trainOf = (
  { trainingInputs, trainingTargets }: RecipeModel,
  under: (file: DataFile) => DataFile,
): LabelledData | null =>
  trainingInputs && trainingTargets && { inputs: under(trainingInputs), targets: under(trainingTargets) };

const judgedFile = async (
  folder: string,
  answer: EvaluationAnswer,
  evaluator: string,
  file: { sha256: string; bytes: number },
): Promise<JudgedFile> => {
  const evidence = await collectEvidence(folder, answer, bareEvidence(evaluator, file));
  const load = (name: string): Float32Array => floatsOf(readFileSync(join(folder, `${name}.f32`)));
  const judged: JudgedFile = { evidence, predictions: {} };
  for (const set of evidenceSets) if (evidence.sets[set]) judged.predictions[set] = load(set);
  for (const set of labelledSets) {
    if (evidence.targets?.[set]) judged.targets = { ...judged.targets, [set]: load(`targets-${set}`) };
  }
  if (evidence.slices) judged.slices = load('slices');
  return judged;
};

/** Copied: a Buffer of Node may lie at an odd offset of its pool. */
const floatsOf = (bytes: Buffer): Float32Array =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
