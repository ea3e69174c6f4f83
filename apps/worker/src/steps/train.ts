// Step 3: the recipe's target, and after it the converters of its models, which bring a retrain into the shipped form. What
// they leave in $RETRAIN_OUT is what is compared.
import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { basename } from 'node:path';
import { failureText, judgeMishap, type TargetEnd } from '@retraind/shared/job/blame-rules';
import { convertersOf } from '@retraind/shared/recipe/recipe';
import type { Energy } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { Breakage, broken } from '../breakage.ts';
import { CheckpointKeeper, type Restored, restoreCheckpoint } from '../checkpoint-keeper.ts';
import { confinedFile } from '../confined-path.ts';
import type { GivenDevices } from '../gpu/slot-devices.ts';
import { MetricsFile } from '../metrics-file.ts';
import { StreamSender } from '../stream-sender.ts';
import type { RunContext } from './context.ts';
import { failureOf, runTarget, type TargetRun, targetRoom } from './target.ts';
import type { Unpacked } from './unpack.ts';

export interface Trained {
  /** The retrained files, converted, in the order of the models. */
  outputs: string[];
  engine: string;
  /** Of the target itself. */
  trainSeconds: number;
  /** Of all converters. */
  convertSeconds: number;
  /** Of the devices, target and converters together; null where nothing tells it. */
  energyWattHours: Energy | null;
  startedAt: Date;
  endedAt: Date;
  environment: Record<string, string>;
  buildPath: string;
  /** The checkpoint with which it began; null for a training from its beginning. */
  resumedFrom: Restored | null;
}

export const trainStep = async (
  context: RunContext,
  unpacked: Unpacked,
  given: GivenDevices,
): Promise<Trained> => {
  const { folders, say, farm } = context;
  const { recipe, rules } = unpacked;
  context.progress('train', null);
  const room = targetRoom(context, unpacked, given);
  say(`device: ${given.deviceText}\n`);
  const sender = new StreamSender((text) => farm.appendMetrics(text));
  const metrics = new MetricsFile(room.metricsPath, {
    onText: (text) => sender.push(text),
    onProgress: (fraction) => context.progress('train', fraction),
    say,
  });
  const resumedFrom = await restoreCheckpoint(context);
  const meter = context.devices.meter(given);
  await meter.start();
  const keeper = new CheckpointKeeper(context);
  await keeper.start();
  metrics.start();
  const startedAt = new Date();
  let energyWattHours: Energy | null = null;
  let failed: { run: TargetRun; told: [string, string] } | null = null;
  const seconds: number[] = [];
  const used = { seconds: 0, logBytes: 0 };
  try {
    for (const target of [recipe.target, ...convertersOf(recipe)]) {
      say(`train: ${rules} ${target} in ${room.buildPath}, seed ${unpacked.seed}\n`);
      const run = await runTarget(context, unpacked, room, target, used);
      if (run.ending.reason === 'left') {
        await keeper.stop();
        await keeper.keep().catch((error: Error) => say(`checkpoint: not kept: ${error.message}\n`));
        throw context.leave.reason;
      }
      seconds.push(run.ending.seconds);
      used.seconds += run.ending.seconds;
      used.logBytes += run.ending.logBytes;
      const told = failureOf(run.ending, unpacked, target, context.limits);
      if (told !== null) failed = { run, told };
      if (failed !== null) break;
    }
  } finally {
    energyWattHours = await meter.finish();
    await keeper.stop();
    await metrics.finish();
    await sender.finish();
  }
  const endedAt = new Date();
  if (failed !== null) {
    throw await breakageOfTarget(context, failed.run, failed.told, {
      tempfail: metrics.facts.tempfail,
      resumed: resumedFrom !== null,
    });
  }
  const outputs: string[] = [];
  for (const model of recipe.models) {
    const output = await confinedFile(folders.out, model.output);
    if (output === null) {
      const last = model.converter === null ? 'target' : 'converter';
      throw broken(
        'recipe',
        'recipe-failed',
        `The ${last} ${model.converter ?? recipe.target} succeeded, but left no ${model.output} in $RETRAIN_OUT (model ${model.name}).`,
        'Let it write there, or mend the field Output.',
      );
    }
    outputs.push(output);
    say(`output: ${basename(output)} of model ${model.name}\n`);
  }
  const [trainSeconds, ...convertSeconds] = seconds;
  return {
    outputs,
    engine: metrics.facts.engine ?? 'not said',
    trainSeconds: trainSeconds!,
    convertSeconds: convertSeconds.reduce((sum, each) => sum + each, 0),
    energyWattHours,
    startedAt,
    endedAt,
    environment: room.environment,
    buildPath: room.buildPath,
    resumedFrom,
  };
};

/** A disk with less room than this is full: nothing trains in it. */
const fullBytes = 64 * 2 ** 20;

/** Whose fault it is that a target did not end well, by the table of shared/job/blame-rules. */
const breakageOfTarget = async (
  { folders }: RunContext,
  { ending, log }: TargetRun,
  [detail, hint]: [string, string],
  facts: Pick<TargetEnd, 'tempfail' | 'resumed'>,
): Promise<Breakage> => {
  const { bavail, bsize } = await statfs(folders.root);
  const { reason } = ending;
  const judgement = judgeMishap({
    step: 'train',
    target: {
      endedBy: reason === 'exited' || reason === 'killed' || reason === 'left' ? null : reason,
      signal: reason === 'killed' ? ending.signal : null,
      log,
      nodeDiskFull: bavail * bsize < fullBytes,
      ...facts,
    },
  });
  const { blame, code } = judgement;
  const said =
    code === 'try-elsewhere'
      ? `The recipe asks to be tried elsewhere: ${facts.tempfail}`
      : judgement.said === null
        ? detail
        : `${detail} It said: ${judgement.said}`;
  // What the limit was, and how it is raised, is known here; what a device needs, in the table.
  const problem = new Problem(code, said, judgement.hint ?? hint);
  const failure = createHash('sha256')
    .update(`${code}\n${failureText(log)}`)
    .digest('hex');
  return new Breakage(blame, problem, failure);
};
