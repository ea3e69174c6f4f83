// Step 3: the recipe's target, in the sandbox, with the environment that the contract promises (docs/reference/recipe.md,
// "Running"). What it leaves in $RETRAIN_OUT is the retrain.
import { basename, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { runEnvironment } from '@retraind/shared/recipe/environment';
import { broken } from '../breakage.ts';
import { confinedFile } from '../confined-path.ts';
import { MetricsFile } from '../metrics-file.ts';
import { nodeMount, recipePath, tfjsMount, tfjsNodeMount } from '../programs.ts';
import type { Ending, Limits, Mount } from '../sandbox/sandbox.ts';
import { StreamSender } from '../stream-sender.ts';
import type { RunContext } from './context.ts';
import { buildPathOf, type Unpacked } from './unpack.ts';

export interface Trained {
  /** The retrained files, in the order of the models. */
  outputs: string[];
  engine: string;
  seconds: number;
  startedAt: Date;
  endedAt: Date;
  environment: Record<string, string>;
  buildPath: string;
}

/** buildd's logs rarely pass 4 MiB; a training that prints every step passes this. */
const logBytes = 16 * 2 ** 20;

const mountsOf = ({ folders, programs }: RunContext, { tree, head }: Unpacked) => {
  const room = (source: string, target: string, writable: boolean): Mount => ({ source, target, writable });
  return {
    tree: room(tree, buildPathOf(head.source, head.version), true),
    data: room(folders.data, '/build/data', false),
    out: room(folders.out, '/build/out', true),
    home: room(folders.home, '/build/home', true),
    metrics: room(folders.metrics, '/build/metrics', true),
    checkpoint: room(folders.checkpoint, '/build/checkpoint', true),
    node: nodeMount(programs),
    tfjs: tfjsMount(programs),
    ...tfjsNodeMount(programs),
  };
};

const environmentOf = (
  context: RunContext,
  unpacked: Unpacked,
  mounts: ReturnType<typeof mountsOf>,
): Record<string, string> => {
  const inside = (mount: Mount): string => context.sandbox.pathInside(mount);
  return runEnvironment(
    {
      data: inside(mounts.data),
      out: inside(mounts.out),
      home: inside(mounts.home),
      metricsFile: `${inside(mounts.metrics)}/metrics.jsonl`,
      checkpoint: inside(mounts.checkpoint),
      path: recipePath(context.programs, inside),
      tfjsNode: mounts.tfjsNode === undefined ? null : inside(mounts.tfjsNode),
    },
    {
      seed: unpacked.seed,
      numerics: context.assignment.numerics,
      // No sandbox shows a device yet.
      accelerator: 'none',
      sourceDateEpoch: unpacked.head.epochSeconds,
      parallel: context.parallel,
    },
  );
};

const limitsOf = ({ recipe }: Unpacked): Limits => ({
  seconds: recipe.timeLimitSeconds,
  silenceSeconds: recipe.silenceLimitSeconds,
  logBytes,
  diskBytes: recipe.diskBytes,
  memoryBytes: recipe.memoryBytes,
});

/** Why the target is to blame, in one sentence, with the field that raises the limit. */
const failureOf = (ending: Ending, { recipe, rules, references }: Unpacked): [string, string] | null => {
  const target = `The target ${recipe.target} of ${rules}`;
  const gone = references.filter(({ model }) => !model.readsShipped && model.file.kind === 'tree');
  const names = gone.map(({ model }) => (model.file.kind === 'tree' ? model.file.path : '')).join(', ');
  const copying =
    gone.length > 0
      ? ` The shipped files (${names}) were taken out before training: a retrain may not copy them; a recipe that fine-tunes them says "Reads-Shipped: yes".`
      : '';
  const seen = 'Read the end of the log.';
  switch (ending.reason) {
    case 'exited':
      return ending.exitCode === 0
        ? null
        : [`${target} failed with status ${ending.exitCode}.`, `${seen}${copying}`];
    case 'killed':
      return [`${target} was ended by ${ending.signal}.`, seen];
    case 'time-limit':
      return [
        `${target} ran longer than ${recipe.timeLimitSeconds} s.`,
        'Raise Time-Limit in debian/retrain/control if it needs so long.',
      ];
    case 'silence-limit':
      return [
        `${target} was silent for ${recipe.silenceLimitSeconds} s: no output, no metrics line.`,
        'Let it say something now and then, or raise Silence-Limit in debian/retrain/control.',
      ];
    case 'log-limit':
      return [
        `${target} wrote more than ${logBytes} bytes of log.`,
        'Let it say less; numbers by step go into $RETRAIN_METRICS.',
      ];
    case 'disk-limit':
      return [
        `${target} wrote more than ${recipe.diskBytes} bytes to the disk.`,
        'Raise Disk in debian/retrain/control if it needs so much.',
      ];
    case 'memory-limit':
      return [
        `${target} took more than ${recipe.memoryBytes} bytes of memory.`,
        'Raise Memory in debian/retrain/control if it needs so much.',
      ];
    case 'cancelled':
      return null;
  }
};

export const trainStep = async (context: RunContext, unpacked: Unpacked): Promise<Trained> => {
  const { sandbox, folders, signal, say, farm } = context;
  const { recipe, rules } = unpacked;
  context.progress('train', null);
  const mounts = mountsOf(context, unpacked);
  const environment = environmentOf(context, unpacked, mounts);
  const buildPath = sandbox.pathInside(mounts.tree);
  const metricsPath = join(folders.metrics, 'metrics.jsonl');
  const sender = new StreamSender((text) => farm.appendMetrics(text));
  const metrics = new MetricsFile(metricsPath, {
    onText: (text) => sender.push(text),
    onProgress: (fraction) => context.progress('train', fraction),
    say,
  });
  const decoder = new StringDecoder('utf8');
  say(`train: ${rules} ${recipe.target} in ${buildPath}, seed ${unpacked.seed}\n`);
  metrics.start();
  const startedAt = new Date();
  const ending = await sandbox
    .run({
      argv: [join(buildPath, rules), recipe.target],
      env: environment,
      cwd: buildPath,
      mounts: Object.values(mounts),
      hidden: unpacked.hidden,
      limits: limitsOf(unpacked),
      signsOfLife: [metricsPath],
      onOutput: (chunk) => say(decoder.write(chunk)),
      signal,
    })
    .finally(() => metrics.finish());
  const endedAt = new Date();
  await sender.finish();
  signal.throwIfAborted();
  say(
    `train: ended (${ending.reason}, status ${ending.exitCode}) after ${ending.seconds.toFixed(1)} s, at most ${ending.peakMemoryBytes} bytes of memory and ${ending.peakDiskBytes} of disk\n`,
  );

  const failure = failureOf(ending, unpacked);
  if (failure !== null) {
    const { tempfail } = metrics.facts;
    if (tempfail !== null)
      throw broken('node', 'recipe-failed', `The recipe asks to be tried elsewhere: ${tempfail}`, failure[0]);
    throw broken('recipe', 'recipe-failed', ...failure);
  }
  const outputs: string[] = [];
  for (const model of recipe.models) {
    const output = await confinedFile(folders.out, model.output);
    if (output === null) {
      throw broken(
        'recipe',
        'recipe-failed',
        `The target ${recipe.target} succeeded, but left no ${model.output} in $RETRAIN_OUT (model ${model.name}).`,
        'Let it write there, or mend the field Output.',
      );
    }
    outputs.push(output);
    say(`output: ${basename(output)} of model ${model.name}\n`);
  }
  return {
    outputs,
    engine: metrics.facts.engine ?? 'not said',
    seconds: ending.seconds,
    startedAt,
    endedAt,
    environment,
    buildPath,
  };
};
