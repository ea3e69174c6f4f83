// Stops when the validation set no longer gains, and remembers the best weights.
import { RecipeFault } from '../fault.ts';
import type { Measures } from './evaluate.ts';

export interface EarlyStop {
  /** Epochs without gain that are waited for. */
  patience: number;
  /** What must gain: the loss (lower) unless said otherwise, or the accuracy (higher). */
  of?: 'loss' | 'accuracy';
  /** A smaller gain counts as none; 0 unless said otherwise. */
  least?: number;
}

/** Part of a checkpoint. */
export interface StopState {
  best: number | null;
  bestEpoch: number;
}

export class Stopper {
  readonly state: StopState;
  readonly #options: EarlyStop;

  constructor(options: EarlyStop, state: StopState = { best: null, bestEpoch: 0 }) {
    if (!(Number.isInteger(options.patience) && options.patience >= 0)) {
      throw new RecipeFault(`the patience is ${options.patience}`, 'give whole epochs, 0 or more');
    }
    this.#options = options;
    this.state = { ...state };
  }

  /** Takes the measures of an epoch (from 1): whether its weights are the best yet, and whether to stop now. */
  take(epoch: number, measures: Measures): { isBest: boolean; stop: boolean } {
    const { of = 'loss', least = 0, patience } = this.#options;
    const value = measures[of];
    if (value === undefined) throw new RecipeFault(`there is no ${of} to stop by`, 'stop by the loss');
    const gain =
      of === 'loss' ? (this.state.best ?? Infinity) - value : value - (this.state.best ?? -Infinity);
    const isBest = gain > least;
    if (isBest) {
      this.state.best = value;
      this.state.bestEpoch = epoch;
    }
    return { isBest, stop: epoch - this.state.bestEpoch >= Math.max(1, patience) };
  }
}
