// ONNX from a sequential net. The same weights give the same bytes: no date, no host, no counter in them.
// Source: ONNX IR specification and the operators of opset 14; each family of layers draws its own nodes.
import type * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import onnxProto, { type onnx } from 'onnx-proto';
import { RecipeFault } from '../fault.ts';
import { writeWhole } from '../file.ts';
import { type Net, netOf } from '../layers/net.ts';
import { below, run } from '../run.ts';
import { Draft, type WeightForm } from './draft.ts';

const opset = 14;
/** IR version 7 is the one of ONNX 1.8 to 1.9, which opset 14 belongs to: readable by every onnxruntime since 2021. */
const irVersion = 7;
// A CommonJS module whose names Node cannot tell in advance: only its default can be imported.
const { ModelProto, TensorProto } = onnxProto.onnx;
const { FLOAT } = TensorProto.DataType;

const valueInfo = (name: string, record: readonly number[]): onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: FLOAT,
      shape: { dim: [{ dimParam: 'N' }, ...record.map((length) => ({ dimValue: length }))] },
    },
  },
});

export interface OnnxOptions {
  /** `float32` unless said. */
  weights?: WeightForm;
}

/** The values of all weights, read before drawing: webgpu gives them only asynchronously. */
async function valuesOf(weights: readonly tf.Tensor[]): Promise<Map<number, Float32Array>> {
  const values = new Map<number, Float32Array>();
  for (const weight of weights) values.set(weight.id, (await weight.data()) as Float32Array);
  return values;
}

async function draw(net: Net, { weights = 'float32' }: OnnxOptions): Promise<Draft> {
  if (weights !== 'float32' && weights !== 'int8') {
    throw new RecipeFault(`weights as ${weights} are not known here`, "write `weights: 'int8'`, or nothing");
  }
  const draft = new Draft({ name: 'input', shape: net.inputShape }, await valuesOf(net.variables), weights);
  for (const { layer, family, refusal } of net.layers) {
    if (family === null) {
      throw new RecipeFault(
        `layer '${layer.name}' ${refusal}, which cannot be written as ONNX`,
        'build the net of the layers that retrain-tfjs makes, or write the file by another program',
      );
    }
    family.draw(layer, draft);
  }
  draft.channelsLast();
  draft.end('output');
  return draft;
}

/**
 * The model as ONNX bytes: input `input`, float32 [N, …record]; output `output`, float32 [N, …outputs of the last layer];
 * both with channels last, as tfjs has them. Throws a RecipeFault that names a layer it has no writing for, or a tensor with
 * values that are not finite.
 */
export async function onnxBytes(model: Sequential, options: OnnxOptions = {}): Promise<Uint8Array> {
  const net = netOf(model);
  const { nodes, tensors } = await draw(net, options);
  return ModelProto.encode({
    irVersion,
    producerName: 'retrain-tfjs',
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'model',
      node: nodes,
      initializer: tensors,
      input: [valueInfo('input', net.inputShape)],
      output: [valueInfo('output', net.outputShape)],
    },
  }).finish();
}

/** Writes the model to `name` below $RETRAIN_OUT: whole or not at all. */
export async function saveOnnx(model: Sequential, name: string, options: OnnxOptions = {}): Promise<void> {
  const bytes = await onnxBytes(model, options);
  await writeWhole(below(run.out, name), bytes);
  process.stderr.write(`wrote ${name}, ${bytes.length} bytes\n`);
}
