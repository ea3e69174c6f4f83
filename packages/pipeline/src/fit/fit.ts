// Training of a sequential net by minibatches, in an order that is a function of seed and epoch only. One step is recorded
// where the engine can; a run that is killed goes on from its checkpoint with the same bits.
import * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { currentEngine } from '../engine/engines.ts';
import { RecipeFault } from '../fault.ts';
import { forward, type Net, netOf } from '../layers/net.ts';
import { writeMetrics } from '../metrics.ts';
import { inHalves, moveOneWeight, type Variation, variationOf } from '../numerics.ts';
import { epochOrder } from '../random.ts';
import { run } from '../run.ts';
import { learningRate } from '../step/learning-rate.ts';
import { compileStep, eagerStep, type StepOptions, type TrainingStep } from '../step/step.ts';
import { batchesOf, holdSets } from './batches.ts';
import { type Checkpoint, identityOf, nextCheckpoint, type Position } from './checkpoint.ts';
import { type EarlyStop, Stopper } from './early-stop.ts';
import { type Measures, measured } from './evaluate.ts';
import { Interruptions } from './interruptions.ts';
import { Progress } from './progress.ts';
import type { Schedule } from './schedule.ts';
import { type Sets, type Task, taskOf } from './task.ts';
import { restoreNet, type Saved, savedNet } from './variables.ts';

export interface FitOptions extends Sets {
  optimizer: tf.Optimizer;
  /** Records a step; the last batch of an epoch may be smaller. */
  batchSize: number;
  epochs: number;
  /** The rate of each step; the optimizer's own throughout unless it is said. */
  schedule?: Schedule;
  /** Measured after each epoch, by the weights as they are then. */
  validation?: Sets;
  /** Stop when the validation set gains no more; the net then has the weights of its best epoch. */
  earlyStop?: EarlyStop;
  /** Seconds between two checkpoints, where the run has a folder for them; 60 unless said otherwise. */
  checkpointEvery?: number;
  /** `false`: each operation a call of its own, whatever the engine could record. */
  compile?: boolean;
  /** Keep the whole training set beside the weights, as float32, and feed row numbers only. */
  hold?: boolean;
}

export interface FitResult {
  /** Steps that were done, those before a resume among them. */
  steps: number;
  /** Mean loss of each epoch, as it was while the weights moved: cross entropy in nats, or mean squared error. */
  epochLosses: number[];
  /** Of the validation set after each epoch. */
  validations: Measures[];
  /** The epoch whose weights the net has now. */
  bestEpoch: number;
  stepMode: 'compiled' | 'eager';
}

/** Everything of a training that does not move. */
interface Training {
  net: Net;
  task: Task;
  options: FitOptions;
  variation: Variation;
  steps: number;
  /** Of this process. */
  firstStep: number;
  step: TrainingStep<'measure'>;
  checkpoint: Checkpoint | null;
  progress: Progress;
  interruptions: Interruptions;
}

/** What moves besides weights and the optimizer. */
interface State {
  position: Position;
  best: Saved[] | null;
}

const positive = (name: string, value: number): void => {
  if (!(Number.isInteger(value) && value > 0)) {
    throw new RecipeFault(`${name} is ${value}`, `give ${name} as a whole number above 0`);
  }
};

/**
 * Trains `model`: to `labels` by softmax cross entropy from logits (its last layer ends with `softmax`, or, for two classes, is
 * one `sigmoid`), to `targets` by mean squared error. Writes metrics lines, and progress on stderr. A loss that is not finite
 * stops it with a RecipeFault naming the step.
 */
export async function fit(model: Sequential, options: FitOptions): Promise<FitResult> {
  positive('batchSize', options.batchSize);
  positive('epochs', options.epochs);
  const { optimizer, validation, earlyStop, inputs, batchSize, epochs } = options;
  const net = netOf(model);
  const task = taskOf(net, options);
  if (validation && taskOf(net, validation) !== task) {
    throw new RecipeFault('the validation set has other answers', 'give labels to both sets, or targets');
  }
  if (net.trainable.length === 0) {
    throw new RecipeFault('the net has no weight that may move', 'let a layer of it be trainable');
  }
  if (earlyStop && !validation) {
    throw new RecipeFault('there is nothing to stop early by', 'give a validation set');
  }
  const engine = currentEngine();
  const variation = variationOf(run.numerics, { net, batchSize, otherEngine: engine?.isOther ?? false });
  const steps = Math.ceil(inputs.rows / batchSize) * epochs;
  const checkpoint = await nextCheckpoint(net, optimizer, async () =>
    identityOf({
      model,
      optimizer,
      rate: learningRate(optimizer),
      schedule: options.schedule ?? null,
      sets: { training: options, validation: validation ?? null },
      firstBatch: await inputs.gather(epochOrder(inputs.rows, run.seed, 1).subarray(0, batchSize)),
      settings: {
        steps,
        batchSize,
        epochs,
        variation: variation.label,
        patience: earlyStop?.patience ?? null,
      },
      engine: engine?.opened.label ?? tf.getBackend(),
    }),
  );
  const resumed = (await checkpoint?.resume()) ?? null;
  const state: State = resumed ?? { position: begin(), best: null };
  if (run.numerics > 0) writeMetrics({ numerics: run.numerics, variation: variation.label });
  if (resumed) {
    writeMetrics({ resumed: state.position.step });
    process.stderr.write(`goes on after step ${state.position.step} of ${steps}, from its checkpoint\n`);
  } else if (variation.moved > 0) {
    await moveOneWeight(net, run.seed, variation.moved);
  }
  const make = options.compile === false ? eagerStep<'measure'> : compileStep<'measure'>;
  const step = make(await stepOptions(net, task, variation, options));
  if (step.mode === 'eager') writeMetrics({ stepMode: 'eager', reason: step.reason ?? '' });
  const interruptions = new Interruptions(checkpoint !== null);
  const training: Training = {
    net,
    task,
    options,
    variation,
    steps,
    firstStep: state.position.step + 1,
    step,
    checkpoint,
    progress: new Progress({ epochs, steps, done: state.position.step }),
    interruptions,
  };
  try {
    if (!state.position.done) await train(training, state);
    await step.pull();
  } finally {
    interruptions.end();
    step.dispose();
  }
  if (state.best) restoreNet(net.variables, state.best);
  const { position } = state;
  return {
    steps: position.step,
    epochLosses: position.epochLosses,
    validations: position.validations,
    bestEpoch: position.stop?.bestEpoch ?? position.epochLosses.length,
    stepMode: step.mode,
  };
}

const begin = (): Position => ({
  epoch: 1,
  at: 0,
  step: 0,
  lossSum: 0,
  epochLosses: [],
  validations: [],
  stop: null,
  done: false,
});

async function stepOptions(
  net: Net,
  task: Task,
  variation: Variation,
  options: FitOptions,
): Promise<StepOptions<'measure'>> {
  const { logits } = task;
  const { backwards } = variation;
  const loss = (x: tf.Tensor, y: tf.Tensor): tf.Scalar =>
    task.loss(forward(net, x, { training: true, logits, backwards }), y);
  const whole = variation.halves ? inHalves(loss) : loss;
  return {
    optimizer: options.optimizer,
    variables: net.trainable,
    loss: ({ x, y }) => whole(x!, y!),
    functions: { measure: ({ x, y }) => task.sums(forward(net, x!, { training: false, logits }), y!) },
    ...(options.hold ? { hold: await holdSets(net, options) } : {}),
  };
}

/** From where the state stands to the end, epoch after epoch. */
async function train(training: Training, state: State): Promise<void> {
  const { options, progress } = training;
  const { position } = state;
  const stopper = options.earlyStop && new Stopper(options.earlyStop, position.stop ?? undefined);
  while (!position.done) {
    await trainEpoch(training, state);
    const { epoch } = position;
    const loss = position.lossSum / options.inputs.rows;
    position.epochLosses.push(loss);
    const measures = options.validation ? await validate(training, epoch) : null;
    progress.epoch(epoch, loss, measures);
    position.done = epoch === options.epochs;
    if (measures) position.validations.push(measures);
    if (measures && stopper) {
      const { isBest, stop } = stopper.take(epoch, measures);
      position.stop = { ...stopper.state };
      if (isBest) {
        await training.step.pull();
        state.best = await savedNet(training.net.variables);
      }
      if (stop && !position.done) progress.say(`stops early: the best epoch was ${stopper.state.bestEpoch}`);
      position.done ||= stop;
    }
    Object.assign(position, { epoch: epoch + 1, at: 0, lossSum: 0 });
  }
  if (position.step < training.steps) writeMetrics({ progress: 1 });
  await save(training, state);
}

/** The rest of an epoch, step by step. */
async function trainEpoch(training: Training, state: State): Promise<void> {
  const { net, options, variation, steps, step, progress, interruptions, checkpoint } = training;
  const { position } = state;
  const { batchSize, hold, schedule, inputs } = options;
  const { epoch } = position;
  const order = epochOrder(inputs.rows, run.seed, epoch);
  const { backwards } = variation;
  const batches = batchesOf(net, options, order, { batchSize, backwards, held: hold, from: position.at });
  for await (const { batch, rows } of batches) {
    if (schedule) step.setLearningRate(checkedRate(schedule(position.step + 1, steps), position.step + 1));
    const loss = await step.train(batch);
    position.step += 1;
    if (!Number.isFinite(loss)) {
      throw new RecipeFault(
        `the loss is ${loss} at step ${position.step} of ${steps} (epoch ${epoch})`,
        'lower the learning rate, or look for broken values in the data',
      );
    }
    position.lossSum += loss * rows;
    position.at += rows;
    if (position.step === training.firstStep && step.mode === 'compiled')
      writeMetrics({ stepMode: step.mode });
    progress.step(position.step, epoch, loss);
    await interruptions.breathe();
    if (interruptions.told || checkpoint?.isDue(options.checkpointEvery ?? 60)) await save(training, state);
    interruptions.stopIfTold(`after step ${position.step} of ${steps}`);
  }
}

function checkedRate(rate: number, step: number): number {
  if (Number.isFinite(rate) && rate >= 0) return rate;
  throw new RecipeFault(`the schedule gives the rate ${rate} at step ${step}`, 'give a number of 0 or more');
}

async function validate({ net, task, options, step }: Training, epoch: number): Promise<Measures> {
  const measures = await measured(net, task, options.validation!, options.batchSize, async (batch) => {
    const { values } = await step.call('measure', batch);
    return values;
  });
  if (Number.isFinite(measures.loss)) return measures;
  throw new RecipeFault(
    `the loss of the validation set is ${measures.loss} after epoch ${epoch}`,
    'lower the learning rate, or look for broken values in the validation set',
  );
}

async function save({ step, checkpoint }: Training, { position, best }: State): Promise<void> {
  if (checkpoint === null) return;
  await step.pull();
  const failed = await checkpoint.write(position, best);
  if (failed !== null) process.stderr.write(`no checkpoint can be written: ${failed}\n`);
}
