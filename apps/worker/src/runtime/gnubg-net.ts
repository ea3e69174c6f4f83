// What a net of GNU Backgammon answers: one hidden layer, sigmoids of the file's own slopes. Source: neuralnet.c of gnubg 1.07, function
// Evaluate: h_j = s(βh (th_j + Σ_i x_i wh_ij)), o_k = s(βo (to_k + Σ_j h_j wo_kj)), s(x) = 1 / (1 + e^-x). gnubg adds in float32 and looks
// its exponentials up in a table; here sums are doubles and the exponential is exact.
import type { GnubgNet } from '@retraind/shared/recipe/recipe';
import { gnubgNets } from '@retraind/shared/recipe/recipe';
import { ModelFault } from './formats/model-fault.ts';
import type { ModelFile } from './formats/model-file.ts';
import { checkOutputs, type Predict } from './predict.ts';

interface Net {
  inputs: number;
  hidden: number;
  outputs: number;
  beta: Float64Array;
  /** inputs × hidden. */
  hiddenWeights: Float64Array;
  /** outputs × hidden. */
  outputWeights: Float64Array;
  hiddenThresholds: Float64Array;
  outputThresholds: Float64Array;
}

/** Rows that are asked at once: 4 MiB of inputs at 250 of them. */
const batchRows = 4_096;

const shapeOf = (file: ModelFile, name: string): readonly number[] =>
  file.tensors.find((tensor) => tensor.name === name)!.shape;

const valuesOf = (file: ModelFile, name: string): Float64Array => {
  const index = file.tensors.findIndex((tensor) => tensor.name === name);
  const bytes = Buffer.alloc(file.tensors[index]!.bytes);
  file.read(index, 0, bytes);
  return Float64Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
};

/** The net that was asked for, or the only one of that width. Throws ModelFault that names the nets. */
const chooseNet = (file: ModelFile, asked: GnubgNet | null, width: number): GnubgNet => {
  const inputsOf = (net: GnubgNet): number => shapeOf(file, `${net}/hidden/weights`)[0]!;
  const fitting = gnubgNets.filter((net) => (asked ?? net) === net && inputsOf(net) === width);
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length > 1) {
    throw new ModelFault(
      `its nets ${fitting.join(' and ')} take records of ${width} values: say which by \`Net\``,
      'write `Net: NAME` into the model stanza of debian/retrain/control',
    );
  }
  const nets = gnubgNets.map((net) => `${net} ${inputsOf(net)}`).join(', ');
  throw new ModelFault(
    `${asked === null ? 'no net of it takes' : `its net ${asked} does not take`} records of ${width} values (${nets})`,
    'name the data that the net was trained on',
  );
};

const loadNet = (file: ModelFile, net: GnubgNet): Net => {
  const [inputs, hidden] = shapeOf(file, `${net}/hidden/weights`) as [number, number];
  return {
    inputs,
    hidden,
    outputs: shapeOf(file, `${net}/output/weights`)[0]!,
    beta: valuesOf(file, `${net}/beta`),
    hiddenWeights: valuesOf(file, `${net}/hidden/weights`),
    outputWeights: valuesOf(file, `${net}/output/weights`),
    hiddenThresholds: valuesOf(file, `${net}/hidden/thresholds`),
    outputThresholds: valuesOf(file, `${net}/output/thresholds`),
  };
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Outputs of one record, written into `into`; `layer` has room for the hidden units. */
const evaluateNet = (net: Net, record: Float32Array, layer: Float64Array, into: Float32Array): void => {
  const { hidden, outputs, beta, hiddenWeights, outputWeights } = net;
  layer.set(net.hiddenThresholds);
  for (let i = 0; i < record.length; i++) {
    const value = record[i]!;
    // Most of a position's inputs are 0, and 0 × Infinity is kept out.
    if (value === 0) continue;
    for (let j = 0; j < hidden; j++) layer[j]! += value * hiddenWeights[i * hidden + j]!;
  }
  for (let j = 0; j < hidden; j++) layer[j] = sigmoid(beta[0]! * layer[j]!);
  for (let k = 0; k < outputs; k++) {
    let sum = net.outputThresholds[k]!;
    for (let j = 0; j < hidden; j++) sum += layer[j]! * outputWeights[k * hidden + j]!;
    into[k] = sigmoid(beta[1]! * sum);
  }
};

/** Asks a net of an open gnubg file, chosen by the first records that come. Throws ModelFault. */
export const openNet = (file: ModelFile, asked: GnubgNet | null): Predict => {
  let net: Net | null = null;
  return async ({ rows, shape, read }) => {
    const width = shape.reduce((size, dim) => size * dim, 1);
    net ??= loadNet(file, chooseNet(file, asked, width));
    checkOutputs(rows, net.outputs);
    const values = new Float32Array(rows * net.outputs);
    const layer = new Float64Array(net.hidden);
    for (let first = 0; first < rows; first += batchRows) {
      const batch = await read(first, Math.min(batchRows, rows - first));
      for (let row = 0; row * width < batch.length; row++) {
        const at = (first + row) * net.outputs;
        const record = batch.subarray(row * width, (row + 1) * width);
        evaluateNet(net, record, layer, values.subarray(at, at + net.outputs));
      }
    }
    return { rows, columns: net.outputs, values };
  };
};
