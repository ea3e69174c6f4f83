// Recurrent layers over sequences, [N, length, values]: LSTM, GRU and the simple one. The products with the inputs are one
// product for the whole sequence; a place of it adds only its own with the state.
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import type { Attribute, Draft } from '../onnx/draft.ts';
import { affine } from './dense.ts';
import { type Family, type FirstLayer, inputShape, type Layer, setting, weight } from './family.ts';
import { nextLayer } from './numbering.ts';

export interface RecurrentOptions extends FirstLayer {
  /** Answer the outputs of all places, [N, length, units], and not only of the last one, [N, units]. */
  sequences?: boolean;
}

function settings(family: string, units: number, options: RecurrentOptions) {
  const { name, seed } = nextLayer(family);
  return {
    name,
    units,
    returnSequences: options.sequences ?? false,
    kernelInitializer: initializers.glorotUniform({ seed: seed() }),
    // tfjs's own start is orthogonal, by a decomposition in JavaScript that takes minutes for large layers.
    recurrentInitializer: initializers.glorotUniform({ seed: seed('state') }),
    biasInitializer: 'zeros' as const,
    ...inputShape(options),
  };
}

/** Long short-term memory: tanh, gates by sigmoid, the forget gate's bias at 1. Weights: Glorot's uniform distribution, seeded. */
export const lstm = (units: number, options: RecurrentOptions = {}): ReturnType<typeof layers.lstm> =>
  layers.lstm({ ...settings('lstm', units, options), recurrentActivation: 'sigmoid', unitForgetBias: true });

/** Gated recurrent unit: tanh, gates by sigmoid, reset before the product. Weights: Glorot's uniform distribution, seeded. */
export const gru = (units: number, options: RecurrentOptions = {}): ReturnType<typeof layers.gru> =>
  layers.gru({ ...settings('gru', units, options), recurrentActivation: 'sigmoid' });

/** state ← tanh(inputs, state). Weights: Glorot's uniform distribution, seeded; biases at 0. */
export const simpleRnn = (
  units: number,
  options: RecurrentOptions = {},
): ReturnType<typeof layers.simpleRNN> => layers.simpleRNN(settings('simple_rnn', units, options));

type Gate = (x: tf.Tensor) => tf.Tensor;
const gates: Record<string, { compute: Gate; onnx: string }> = {
  tanh: { compute: (x) => tf.tanh(x), onnx: 'Tanh' },
  sigmoid: { compute: (x) => tf.sigmoid(x), onnx: 'Sigmoid' },
  relu: { compute: (x) => tf.relu(x), onnx: 'Relu' },
  hardSigmoid: {
    compute: (x) => tf.clipByValue(tf.add(tf.mul(x, 0.2), 0.5), 0, 1),
    onnx: 'HardSigmoid',
  },
};
const gateOf = (layer: Layer, name: 'activation' | 'recurrentActivation') =>
  gates[String(setting(layer, name))];

/** One place of a sequence: from its product with the inputs, [N, gates · units], to the new state. */
interface Cell {
  start(layer: Layer): (inputs: tf.Tensor, state: tf.Tensor | null) => tf.Tensor;
  /** ONNX's operator, its order of the gates (as places in tfjs's), and its attributes. */
  onnx: { opType: string; order: readonly number[]; attributes: Record<string, Attribute> };
}

const times = (state: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
  tf.matMul(state as tf.Tensor2D, kernel as tf.Tensor2D);

const lstmCell: Cell = {
  start(layer) {
    const kernel = layer.weights[1]!.read();
    const act = gateOf(layer, 'activation')!.compute;
    const open = gateOf(layer, 'recurrentActivation')!.compute;
    let memory: tf.Tensor | null = null;
    return (inputs, state) => {
      const sum = state === null ? inputs : tf.add(inputs, times(state, kernel));
      const [input, forget, fresh, output] = tf.split(sum, 4, 1) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const added = tf.mul(open(input), act(fresh));
      memory = memory === null ? added : tf.add(tf.mul(open(forget), memory), added);
      return tf.mul(open(output), act(memory));
    };
  },
  // tfjs: input, forget, cell, output; ONNX: input, output, forget, cell.
  onnx: { opType: 'LSTM', order: [0, 3, 1, 2], attributes: {} },
};

const gruCell: Cell = {
  start(layer) {
    const kernel = layer.weights[1]!.read() as tf.Tensor2D;
    const units = kernel.shape[0];
    const act = gateOf(layer, 'activation')!.compute;
    const open = gateOf(layer, 'recurrentActivation')!.compute;
    const ofGates = tf.slice(kernel, [0, 0], [units, 2 * units]);
    const ofState = tf.slice(kernel, [0, 2 * units], [units, units]);
    return (inputs, state) => {
      const [update, reset, fresh] = tf.split(inputs, 3, 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      if (state === null) return tf.mul(tf.sub(1, open(update)), act(fresh));
      const [updateOfState, resetOfState] = tf.split(times(state, ofGates), 2, 1) as [tf.Tensor, tf.Tensor];
      const kept = open(tf.add(update, updateOfState));
      const seen = tf.mul(open(tf.add(reset, resetOfState)), state);
      const proposed = act(tf.add(fresh, times(seen, ofState)));
      return tf.add(tf.mul(kept, state), tf.mul(tf.sub(1, kept), proposed));
    };
  },
  onnx: { opType: 'GRU', order: [0, 1, 2], attributes: { linear_before_reset: 0 } },
};

const simpleCell: Cell = {
  start(layer) {
    const kernel = layer.weights[1]!.read();
    const act = gateOf(layer, 'activation')!.compute;
    return (inputs, state) => act(state === null ? inputs : tf.add(inputs, times(state, kernel)));
  },
  onnx: { opType: 'RNN', order: [0], attributes: {} },
};

function refusal(layer: Layer): string | null {
  for (const name of [
    'goBackwards',
    'stateful',
    'returnState',
    'dropout',
    'recurrentDropout',
    'resetAfter',
  ]) {
    if (setting(layer, name)) return `has the setting ${name}`;
  }
  for (const name of ['activation', 'recurrentActivation'] as const) {
    if (setting(layer, name) != null && !gateOf(layer, name))
      return `has the ${name} '${setting(layer, name)}'`;
  }
  return null;
}

/** Weights [values, gates · units] as ONNX has them: [1, gates · units, values], the gates in its order. */
function turned(values: Float32Array, rows: number, units: number, order: readonly number[]): Float32Array {
  const columns = order.length * units;
  const result = new Float32Array(values.length);
  for (const [place, gate] of order.entries()) {
    for (let unit = 0; unit < units; unit++) {
      for (let row = 0; row < rows; row++) {
        result[(place * units + unit) * rows + row] = values[row * columns + gate * units + unit]!;
      }
    }
  }
  return result;
}

function draw(layer: Layer, draft: Draft, { opType, order, attributes }: Cell['onnx']): void {
  const { name } = layer;
  const units = setting<number>(layer, 'units');
  const [length, values] = draft.current.shape as [number, number];
  const width = order.length * units;
  const floats = (part: string, index: number, rows: number): string =>
    draft.floats(
      `${name}_${part}`,
      [1, width, rows],
      turned(draft.values(weight(layer, index)), rows, units, order),
    );
  const constants = [floats('kernel', 0, values), floats('state_kernel', 1, units)];
  if (layer.weights[2]) {
    const bias = new Float32Array(2 * width);
    bias.set(turned(draft.values(weight(layer, 2)), 1, units, order));
    constants.push(draft.floats(`${name}_bias`, [1, 2 * width], bias));
  }
  const act = gateOf(layer, 'activation')!.onnx;
  const open = gateOf(layer, 'recurrentActivation')?.onnx;
  const chosen = opType === 'LSTM' ? [open!, act, act] : opType === 'GRU' ? [open!, act] : [act];
  draft.channelsLast();
  draft.step(
    'Transpose',
    `${name}_by_place`,
    [],
    { name: `${name}_by_place`, shape: draft.current.shape },
    {
      perm: [1, 0, 2],
    },
  );
  const all = setting<boolean>(layer, 'returnSequences');
  const outputs = all ? [`${name}_places`] : ['', `${name}_last`];
  draft.node(opType, name, [draft.current.name, ...constants], outputs, {
    hidden_size: units,
    activations: chosen,
    ...attributes,
  });
  const axis = draft.integers(`${name}_direction`, [all ? 1 : 0]);
  draft.current = { name: outputs.at(-1)!, shape: [] };
  const result = { name: `${name}_output`, shape: all ? [length, units] : [units] };
  if (all) {
    draft.step('Squeeze', `${name}_squeeze`, [axis], { name: `${name}_states`, shape: result.shape });
    draft.step('Transpose', `${name}_by_record`, [], result, { perm: [1, 0, 2] });
  } else {
    draft.step('Squeeze', `${name}_squeeze`, [axis], result);
  }
}

const family = (cell: Cell): Family => ({
  refusal,
  forward(layer, x) {
    const [kernel, , bias] = layer.weights.map((variable) => variable.read());
    const [records, length, values] = x.shape as [number, number, number];
    const product = affine(tf.reshape(x, [records * length, values]), kernel!, bias);
    const places = tf.unstack(tf.reshape(product, [records, length, kernel!.shape[1]!]), 1);
    const next = cell.start(layer);
    const states: tf.Tensor[] = [];
    for (const place of places) states.push(next(place, states.at(-1) ?? null));
    return setting<boolean>(layer, 'returnSequences') ? tf.stack(states, 1) : states.at(-1)!;
  },
  draw: (layer, draft) => draw(layer, draft, cell.onnx),
});

export const lstmFamily = family(lstmCell);
export const gruFamily = family(gruCell);
export const simpleRnnFamily = family(simpleCell);
