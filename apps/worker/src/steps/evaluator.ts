// One run of the evaluator in the sandbox: what it sees is the folder of one model, the declared data, and its own program.
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { broken } from '../breakage.ts';
import { nodeMount } from '../programs.ts';
import { type EvaluationAnswer, type EvaluationRequest, emptyAnswer } from '../runtime/evaluation.ts';
import type { Mount } from '../sandbox/sandbox.ts';
import type { RunContext } from './context.ts';

const evaluateSeconds = 3_600;
const logBytes = 65_536;
/** Names of 10,000 tensors. */
const answerBytes = 2 ** 24;

export interface Question {
  /** The model file; files of external data lie beside it. */
  path: string;
  /** Gets request, answer and what else is written; of this question alone. */
  folder: string;
  /** What the recipe says it needs. */
  memoryBytes: number;
  /** The rest of the request. `data`: the folder of datasets, as the evaluator sees it. */
  request(data: string): Omit<EvaluationRequest, 'model' | 'ortFolder' | 'outFolder'>;
}

/** Asks the evaluator about one file. Breaks with blame `farm` where it ends otherwise than by an answer or at a limit. */
export const askEvaluator = async (
  context: RunContext,
  { path, folder, memoryBytes, request }: Question,
): Promise<EvaluationAnswer> => {
  const { sandbox, programs, folders } = context;
  const { evaluator } = programs;
  const modules = '/opt/retrain/evaluator-modules/node_modules';
  const mounts = {
    node: nodeMount(programs),
    program: { source: evaluator.folder, target: '/opt/retrain/evaluator', writable: false },
    ort: { source: evaluator.ortFolder, target: `${modules}/onnxruntime-node`, writable: false },
    common: { source: evaluator.ortCommonFolder, target: `${modules}/onnxruntime-common`, writable: false },
    model: { source: dirname(path), target: '/build/model', writable: false },
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
  const asked: EvaluationRequest = {
    model: join(paths.model, basename(path)),
    ortFolder: paths.ort,
    outFolder: paths.out,
    ...request(paths.data),
  };
  await writeFile(join(folder, 'request.json'), JSON.stringify(asked));
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
      memoryBytes: Math.max(memoryBytes, 4 * 2 ** 30),
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
