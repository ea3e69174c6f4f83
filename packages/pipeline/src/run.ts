// The environment in which the farm (or `retrain run`) starts a recipe (docs/reference/recipe.md, "Running").
// Read when asked, so that importing this module does nothing.
import { isAbsolute, join, normalize } from 'node:path';
import { RecipeFault } from './fault.ts';

function needed(name: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new RecipeFault(
    `${name} is not set`,
    'run the recipe by `retrain run`, or set RETRAIN_DATA, RETRAIN_OUT and RETRAIN_SEED by hand',
  );
}

function integer(name: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= lowest && value <= highest) return value;
  throw new RecipeFault(`${name} is '${text}'`, `${name} is a whole number from ${lowest} to ${highest}`);
}

/** What this run was given. Every member throws a RecipeFault where its variable is missing or malformed. */
export const run = {
  /** $RETRAIN_SEED, 0 … 2^31-1 (the farm draws 1 … 2^31-2): the same seed on the same engine gives the same bytes. */
  get seed(): number {
    return integer('RETRAIN_SEED', needed('RETRAIN_SEED'), 0, 2_147_483_647);
  },
  /** $RETRAIN_NUMERICS, from 0; 0 (the recipe's own numerics) where it is not set. */
  get numerics(): number {
    return integer('RETRAIN_NUMERICS', process.env.RETRAIN_NUMERICS || '0', 0, 1_000_000);
  },
  /** $RETRAIN_DATA: one folder a dataset, digests checked. */
  get data(): string {
    return needed('RETRAIN_DATA');
  },
  /** $RETRAIN_OUT: where the declared `Output` files go. */
  get out(): string {
    return needed('RETRAIN_OUT');
  },
  /** $RETRAIN_CHECKPOINT: a folder that outlives a preemption of the run; null where there is none. */
  get checkpoint(): string | null {
    return process.env.RETRAIN_CHECKPOINT || null;
  },
  /** $RETRAIN_METRICS: the file for JSON lines; null where nobody listens. */
  get metrics(): string | null {
    return process.env.RETRAIN_METRICS || null;
  },
};

/** Path of `name` below `folder`; an absolute name is taken as it is. */
export function below(folder: string, name: string): string {
  if (isAbsolute(name)) return name;
  const path = normalize(name);
  if (path.startsWith('..')) {
    throw new RecipeFault(`'${name}' leaves its folder`, 'name a file below the folder, without ..');
  }
  return join(folder, path);
}
