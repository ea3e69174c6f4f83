// Step 3: the recipe's target, and after it the converters of its models, which bring a retrain into the shipped form. What
// they leave in $RETRAIN_OUT is what is compared.
import { basename } from 'node:path';
import { convertersOf } from '@retraind/shared/recipe/recipe';
import type { Energy } from '@retraind/shared/wire/messages';
import { broken } from '../breakage.ts';
import { confinedFile } from '../confined-path.ts';
import type { GivenDevices } from '../gpu/slot-devices.ts';
import { MetricsFile } from '../metrics-file.ts';
import { StreamSender } from '../stream-sender.ts';
import type { RunContext } from './context.ts';
import { failureOf, runTarget, targetRoom } from './target.ts';
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
  metrics.start();
  const meter = context.devices.meter(given);
  await meter.start();
  const startedAt = new Date();
  let failure: [string, string] | null = null;
  let energyWattHours: Energy | null = null;
  const seconds: number[] = [];
  try {
    for (const target of [recipe.target, ...convertersOf(recipe)]) {
      say(`train: ${rules} ${target} in ${room.buildPath}, seed ${unpacked.seed}\n`);
      const ending = await runTarget(context, unpacked, room, target);
      seconds.push(ending.seconds);
      failure = failureOf(ending, unpacked, target);
      if (failure !== null) break;
    }
  } finally {
    energyWattHours = await meter.finish();
    await metrics.finish();
    await sender.finish();
  }
  const endedAt = new Date();
  if (failure !== null) {
    const { tempfail } = metrics.facts;
    if (tempfail !== null)
      throw broken('node', 'try-elsewhere', `The recipe asks to be tried elsewhere: ${tempfail}`, failure[0]);
    throw broken('recipe', 'recipe-failed', ...failure);
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
  };
};
