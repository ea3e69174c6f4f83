// Names and seeds of the layers that a script makes, in the order in which it makes them.
import { layerSeed } from '../random.ts';
import { run } from '../run.ts';

let made = 0;

export interface Numbered {
  /** `family_n`: distinct in a script, the same in every process. */
  name: string;
  /** Seed for one thing of the layer that is random (`kernel`, `recurrent kernel` …): never 0, distinct for each. */
  seed(thing?: string): number;
}

/** The next layer of the script, counted from 1 whatever its family. */
export function nextLayer(family: string): Numbered {
  made += 1;
  const number = made;
  return { name: `${family}_${number}`, seed: (thing) => layerSeed(run.seed, number, thing) };
}
