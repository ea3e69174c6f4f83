// One target of the recipe's makefile in the sandbox, with the environment and the limits that the contract promises
// (docs/reference/recipe.md, "Running").
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { runEnvironment } from '@retraind/shared/recipe/environment';
import type { LeaveAsked } from '../beat.ts';
import type { FarmLimits } from '../farm-limits.ts';
import type { GivenDevices } from '../gpu/slot-devices.ts';
import { LogTail } from '../log-tail.ts';
import { nodeMount, recipePath, tfjsMount, tfjsNodeMount } from '../programs.ts';
import type { DeviceNode, Ending, Limits, Mount } from '../sandbox/sandbox.ts';
import type { RunContext } from './context.ts';
import { buildPathOf, type Unpacked } from './unpack.ts';

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

/** What the targets of a run have used up of what they may use together. */
export interface Used {
  seconds: number;
  logBytes: number;
}

/** The recipe's limits, or the farm's where they are lower, less what earlier targets of the run have used. */
const limitsOf = ({ limits }: RunContext, { recipe }: Unpacked, used: Used): Limits => ({
  seconds: Math.max(0, Math.min(recipe.timeLimitSeconds, limits.seconds) - used.seconds),
  silenceSeconds: Math.min(recipe.silenceLimitSeconds, limits.silenceSeconds),
  logBytes: Math.max(0, limits.logBytes - used.logBytes),
  diskBytes: Math.min(recipe.diskBytes, limits.diskBytes),
  memoryBytes: recipe.memoryBytes,
});

/** How a target ended, and what it said last. */
export interface TargetRun {
  ending: Ending;
  log: string;
}

/** Runs `target` to its end, whatever that is. Throws the signal's reason when stopped. */
export const runTarget = async (
  context: RunContext,
  unpacked: Unpacked,
  { mounts, devices, environment, buildPath, metricsPath }: TargetRoom,
  target: string,
  used: Used,
): Promise<TargetRun> => {
  const { sandbox, signal, leave, say, folders, limits } = context;
  const decoder = new StringDecoder('utf8');
  const tail = new LogTail();
  const ending = await sandbox.run({
    argv: [join(buildPath, unpacked.rules), target],
    env: environment,
    cwd: buildPath,
    mounts,
    devices,
    hidden: unpacked.hidden,
    limits: limitsOf(context, unpacked, used),
    output: { folder: folders.out, bytes: limits.outputBytes },
    signsOfLife: [metricsPath],
    onOutput: (chunk) => {
      const text = decoder.write(chunk);
      tail.push(text);
      say(text);
    },
    leave: { signal: leave, graceSeconds: () => (leave.reason as LeaveAsked).graceSeconds },
    signal,
  });
  signal.throwIfAborted();
  say(
    `train: ${target} ended (${ending.reason}, status ${ending.exitCode}) after ${ending.seconds.toFixed(1)} s, at most ${ending.peakMemoryBytes} bytes of memory and ${ending.peakDiskBytes} of disk\n`,
  );
  return { ending, log: tail.text };
};

/** Which of two limits held, in words: the farm's own cannot be raised by the recipe. */
const limitHint = (field: string, recipeSays: number, farmAllows: number): string =>
  recipeSays > farmAllows
    ? `The recipe asks for ${recipeSays}, and this farm allows no run more than ${farmAllows}: ask its admins.`
    : `Raise ${field} in debian/retrain/control if it needs so much.`;

/** Why the target is to blame, in one sentence, with the field that raises the limit; null where it did what it should. */
export const failureOf = (
  ending: Ending,
  { recipe, rules, references }: Unpacked,
  name: string,
  limits: FarmLimits,
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
        `${target} ran longer than ${Math.min(recipe.timeLimitSeconds, limits.seconds)} s.`,
        limitHint('Time-Limit', recipe.timeLimitSeconds, limits.seconds),
      ];
    case 'silence-limit':
      return [
        `${target} was silent for ${Math.min(recipe.silenceLimitSeconds, limits.silenceSeconds)} s: no output, no metrics line.`,
        `Let it say something now and then. ${limitHint('Silence-Limit', recipe.silenceLimitSeconds, limits.silenceSeconds)}`,
      ];
    case 'log-limit':
      return [
        `${target} wrote more than ${limits.logBytes} bytes of log.`,
        'Let it say less; numbers by step go into $RETRAIN_METRICS.',
      ];
    case 'output-limit':
      return [
        `${target} left more than ${limits.outputBytes} bytes in $RETRAIN_OUT.`,
        'Let it leave the declared outputs only; this farm keeps no more of one run.',
      ];
    case 'disk-limit':
      return [
        `${target} wrote more than ${Math.min(recipe.diskBytes, limits.diskBytes)} bytes to the disk.`,
        limitHint('Disk', recipe.diskBytes, limits.diskBytes),
      ];
    case 'memory-limit':
      return [
        `${target} took more than ${recipe.memoryBytes} bytes of memory.`,
        'Raise Memory in debian/retrain/control if it needs so much.',
      ];
    case 'left':
    case 'cancelled':
      return null;
  }
};
