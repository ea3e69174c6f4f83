// The batches of an epoch, in an order that is a function of seed and epoch only.
import { RecipeFault } from '../fault.ts';
import { tableRows } from '../layers/embedding.ts';
import type { Net } from '../layers/net.ts';
import type { Batch, HostTensor } from '../step/step.ts';
import { answerShape, answersOf, type Sets } from './task.ts';

export interface BatchOptions {
  batchSize: number;
  /** The rows of each batch from its last to its first (RETRAIN_NUMERICS=2). */
  backwards?: boolean;
  /** The step holds the sets: a batch names its rows only. */
  held?: boolean;
}

/** Whole sets as a step holds them. */
export async function holdSets(net: Net, sets: Sets): Promise<Record<'x' | 'y', HostTensor>> {
  const rows = Int32Array.from({ length: sets.inputs.rows }, (_, row) => row);
  return (await valuesOf(net, sets, rows)) as Record<'x' | 'y', HostTensor>;
}

async function valuesOf(net: Net, sets: Sets, rows: Int32Array, next?: Int32Array): Promise<Batch> {
  const { inputs } = sets;
  const values = await inputs.gather(rows, next);
  const answers = await answersOf(sets, rows, next);
  if (values.length !== rows.length * inputs.columns) {
    throw new RecipeFault(
      `${inputs.path}: ${rows.length} records came as ${values.length} values, not ${rows.length * inputs.columns}`,
      'a set gives rows.length × columns values at each call',
    );
  }
  checkRowNumbers(net, sets, rows, values);
  return {
    x: { shape: [rows.length, ...net.inputShape], values },
    y: { shape: [rows.length, ...answerShape(sets, net)], values: answers },
  };
}

/** An embedding takes row numbers of its table; beyond it, engines give an error, a 0, or what lies there. */
function checkRowNumbers(net: Net, { inputs }: Sets, rows: Int32Array, values: Float32Array): void {
  const { layer } = net.layers[0]!;
  if (layer.getClassName() !== 'Embedding') return;
  const highest = tableRows(layer) - 1;
  const wrong = values.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= highest));
  if (wrong < 0) return;
  throw new RecipeFault(
    `${inputs.path}: record ${rows[Math.floor(wrong / inputs.columns)]} has the value ${values[wrong]}, outside 0 … ${highest}`,
    `say embedding(${Math.floor(values[wrong]!) + 1}, …), or mend the file`,
  );
}

/** The batches of `order` from its place `from` on. The last one may be smaller. */
export async function* batchesOf(
  net: Net,
  sets: Sets,
  order: Int32Array,
  options: BatchOptions & { from?: number },
): AsyncGenerator<{ batch: Batch; rows: number }> {
  const { batchSize, backwards, held, from = 0 } = options;
  const rowsAt = (at: number): Int32Array => {
    const rows = order.subarray(at, at + batchSize);
    return backwards ? rows.slice().reverse() : rows;
  };
  for (let at = from; at < order.length; at += batchSize) {
    const rows = rowsAt(at);
    const batch = held
      ? { x: { rows }, y: { rows } }
      : await valuesOf(net, sets, rows, rowsAt(at + batchSize));
    yield { batch, rows: rows.length };
  }
}
