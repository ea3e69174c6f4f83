// One target of the recipe's makefile in the sandbox, with the environment and the limits that the contract promises
// (docs/reference/recipe.md, "Running").
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { runEnvironment } from '@retraind/shared/recipe/environment';
import type { GivenDevices } from '../gpu/slot-devices.ts';
import { nodeMount, recipePath, tfjsMount, tfjsNodeMount } from '../programs.ts';
import type { DeviceNode, Ending, Limits, Mount } from '../sandbox/sandbox.ts';
import type { RunContext } from './context.ts';
import { buildPathOf, type Unpacked } from './unpack.ts';

/** buildd's logs rarely pass 4 MiB; a training that prints every step passes this. */
const logBytes = 16 * 2 ** 20;

/** What every target of a run is given alike. */
export interface TargetRoom {
  mounts: Mount[];
  devices: readonly DeviceNode[];
  environment: Record<string, string>;
  /** Where the tree lies for the target. */
  buildPath: string;
  /** $RETRAIN_METRICS as it is outside. */
  metricsPath: string;
}

export const targetRoom = (
  context: RunContext,
  { tree, head, seed }: Unpacked,
  { accelerator, grant }: GivenDevices,
): TargetRoom => {
  const { folders, programs, sandbox, assignment } = context;
  const room = (source: string, target: string, writable: boolean): Mount => ({ source, target, writable });
  const mounts = {
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
  const inside = (mount: Mount): string => sandbox.pathInside(mount);
  const environment = runEnvironment(
    {
      data: inside(mounts.data),
      out: inside(mounts.out),
      home: inside(mounts.home),
      metricsFile: `${inside(mounts.metrics)}/metrics.jsonl`,
      checkpoint: inside(mounts.checkpoint),
      path: recipePath(programs, inside),
      tfjsNode: mounts.tfjsNode === undefined ? null : inside(mounts.tfjsNode),
    },
    {
      seed,
      numerics: assignment.numerics,
      accelerator,
      deviceVariables: grant.environment,
      sourceDateEpoch: head.epochSeconds,
      parallel: context.parallel,
    },
  );
  return {
    // At their own places: a vendor's library looks for the kernel's files where they are.
    mounts: [...Object.values(mounts), ...grant.readable.map((path) => room(path, path, false))],
    devices: grant.nodes,
    environment,
    buildPath: inside(mounts.tree),
    metricsPath: join(folders.metrics, 'metrics.jsonl'),
  };
};

const limitsOf = ({ recipe }: Unpacked): Limits => ({
  seconds: recipe.timeLimitSeconds,
  silenceSeconds: recipe.silenceLimitSeconds,
  logBytes,
  diskBytes: recipe.diskBytes,
  memoryBytes: recipe.memoryBytes,
});

/** Runs `target` to its end, whatever that is. Throws the signal's reason when stopped. */
export const runTarget = async (
  context: RunContext,
  unpacked: Unpacked,
  { mounts, devices, environment, buildPath, metricsPath }: TargetRoom,
  target: string,
): Promise<Ending> => {
  const { sandbox, signal, say } = context;
  const decoder = new StringDecoder('utf8');
  const ending = await sandbox.run({
    argv: [join(buildPath, unpacked.rules), target],
    env: environment,
    cwd: buildPath,
    mounts,
    devices,
    hidden: unpacked.hidden,
    limits: limitsOf(unpacked),
    signsOfLife: [metricsPath],
    onOutput: (chunk) => say(decoder.write(chunk)),
    signal,
  });
  signal.throwIfAborted();
  say(
    `train: ${target} ended (${ending.reason}, status ${ending.exitCode}) after ${ending.seconds.toFixed(1)} s, at most ${ending.peakMemoryBytes} bytes of memory and ${ending.peakDiskBytes} of disk\n`,
  );
  return ending;
};

/** Why the target is to blame, in one sentence, with the field that raises the limit; null where it did what it should. */
export const failureOf = (
  ending: Ending,
  { recipe, rules, references }: Unpacked,
  name: string,
): [string, string] | null => {
  const target = `The target ${name} of ${rules}`;
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
