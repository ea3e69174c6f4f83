// Rows of a table by number: words, tokens, categories.
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { rowGather } from '../ops/row-gather.ts';
import { type Family, type FirstLayer, inputShape, type Layer, setting, weight } from './family.ts';
import { nextLayer } from './numbering.ts';

/**
 * A table of `rows` rows of `units` values. Records are row numbers, 0 … rows - 1: [N, length] → [N, length, units]. Its weights
 * start uniform in ±0.05, seeded.
 */
export function embedding(
  rows: number,
  units: number,
  options: FirstLayer = {},
): ReturnType<typeof layers.embedding> {
  const { name, seed } = nextLayer('embedding');
  return layers.embedding({
    name,
    inputDim: rows,
    outputDim: units,
    embeddingsInitializer: initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed: seed() }),
    ...inputShape(options),
  });
}

/** Rows of an embedding's table. */
export const tableRows = (layer: Layer): number => weight(layer, 0).shape[0]!;

export const embeddingFamily: Family = {
  refusal: (layer) => (setting(layer, 'maskZero') ? 'masks the row 0' : null),
  forward: (layer, x) => rowGather(weight(layer, 0), tf.cast(x, 'int32')),
  draw(layer, draft) {
    const { name } = layer;
    const table = weight(layer, 0);
    draft.channelsLast();
    // ONNX: 7 is INT64. Files of inputs are float32 throughout, so that every model is asked the same way.
    draft.step('Cast', `${name}_rows`, [], { ...draft.current, name: `${name}_rows` }, { to: 7 });
    const rows = draft.current;
    const kernel = draft.floats(`${name}_table`, table.shape, draft.values(table));
    const shape = [...rows.shape, table.shape[1]!];
    draft.node('Gather', name, [kernel, rows.name], [`${name}_output`], { axis: 0 });
    draft.current = { name: `${name}_output`, shape };
  },
};
