// Everything random in a run comes from its seed, by name. The generator is Johannes Baagøe's Alea (npm seedrandom 3, also
// the one inside tfjs): 32-bit arithmetic only, so its numbers are the same on every machine and every Node.
import seedrandom from 'seedrandom';

/** A generator of numbers in [0, 1) for one purpose: no purpose's draws shift another's. */
export function generator(seed: number, purpose: string): () => number {
  const next = seedrandom.alea(`${seed}/${purpose}`);
  return () => next();
}

/** Order of `rows` row numbers in one epoch (from 1): Fisher and Yates's shuffle, a function of seed and epoch only. */
export function epochOrder(rows: number, seed: number, epoch: number): Int32Array {
  const next = generator(seed, `order/${epoch}`);
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  for (let last = rows - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
}

/**
 * Seed of the n-th layer (from 1), 1 … 2^31-2; `thing` where a layer needs more than one. Never 0: tfjs takes 0 for "no seed"
 * in some initialisers.
 */
export function layerSeed(seed: number, layer: number, thing?: string): number {
  const purpose = thing === undefined ? `layer/${layer}` : `layer/${layer}/${thing}`;
  return 1 + Math.floor(generator(seed, purpose)() * 2_147_483_646);
}

type Alea = (() => number) & { state(): object };

/** The generator that stands in for Math.random; null where it was not replaced. */
let stand: Alea | null = null;

const standIn = (next: Alea): void => {
  stand = next;
  Math.random = () => next();
};

/** Replaces Math.random, which tfjs uses wherever it is given no seed (dropout, default initialisers, shuffles). */
export function replaceMathRandom(seed: number): void {
  standIn(seedrandom.alea(`${seed}/Math.random`, { state: true }) as Alea);
}

/** Where Math.random stands, for a checkpoint; null where it was not replaced. */
export const mathRandomState = (): object | null => stand?.state() ?? null;

/** Math.random from where it stood. Nothing where it is not replaced now, or was not then. */
export function restoreMathRandom(state: unknown): void {
  if (stand === null || typeof state !== 'object' || state === null) return;
  standIn(seedrandom.alea('', { state: state as seedrandom.State.Alea }) as Alea);
}
