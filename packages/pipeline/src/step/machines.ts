// Which engine can record a step and replay it. A new one is a folder beside this file and one line here.

import type { Batch, HostTensor, StepOptions } from './step.ts';
import { TensorflowMachine } from './tensorflow/machine.ts';
import { WasmStepMachine } from './wasm/machine.ts';

/**
 * Records functions of a step and replays them. Functions are `train` (one step of the optimizer; answers the loss, shape [])
 * and `call NAME`. Weights may live inside it between calls: `pull` brings them home.
 */
export interface StepMachine {
  /**
   * Records a function at the shapes of this batch, once for each set of shapes; nothing is trained by it: all variables
   * the optimizer's slots, its rate and its count of steps are as before. Throws NotReplayable where it cannot be replayed.
   */
  record(name: string, batch: Batch): Promise<void>;
  /** Runs a recorded function on a batch of the shapes that it was recorded at. Counts the optimizer's steps. */
  replay(name: string, batch: Batch): Promise<HostTensor>;
  setLearningRate(rate: number): void;
  /** Weights and slots into the tf.Variables. */
  pull(): Promise<void>;
  dispose(): void;
}

type MachineMaker = (options: StepOptions<string>) => StepMachine;

/** By the name of the tfjs backend. */
const makers: Record<string, MachineMaker> = {
  tensorflow: (options) => new TensorflowMachine(options),
  wasm: (options) => new WasmStepMachine(options),
};

export const stepMachineOf = (backend: string, options: StepOptions<string>): StepMachine | null =>
  makers[backend]?.(options) ?? null;
