// ONNX from a sequential net of dense layers. The same weights give the same bytes: no date, no host, no counter in them.
// Source: ONNX IR specification, operators Gemm-13, Relu-14, Sigmoid-13, Tanh-13, Softmax-13.
import { open, rename, rm } from 'node:fs/promises';
import type { Sequential } from '@tensorflow/tfjs-layers';
import onnxProto, { type onnx } from 'onnx-proto';
import { RecipeFault } from '../fault.ts';
import { type Activation, type DenseParts, denseParts } from '../layers.ts';
import { below, run } from '../run.ts';

const opset = 14;
/** IR version 7 is the one of ONNX 1.8 to 1.9, which opset 14 belongs to: readable by every onnxruntime since 2021. */
const irVersion = 7;
// A CommonJS module whose names Node cannot tell in advance: only its default can be imported.
const { ModelProto, TensorProto } = onnxProto.onnx;
const { FLOAT } = TensorProto.DataType;

const operators: Record<Exclude<Activation, 'linear'>, string> = {
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softmax: 'Softmax',
};

const floatTensor = (name: string, dims: number[], values: Float32Array): onnx.ITensorProto => {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new RecipeFault(
      `value ${wrong} of ${name} is not finite`,
      'lower the learning rate: such a model is of no use',
    );
  }
  // ONNX: raw_data is little-endian, whatever the machine.
  const raw = new DataView(new ArrayBuffer(values.length * 4));
  for (let i = 0; i < values.length; i++) raw.setFloat32(4 * i, values[i]!, true);
  return { name, dims, dataType: FLOAT, rawData: new Uint8Array(raw.buffer) };
};

const valueInfo = (name: string, columns: number): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'N' }, { dimValue: columns }] } } },
});

async function layerNodes(
  { name, activation, kernel, bias }: DenseParts,
  input: string,
  output: string,
): Promise<{ nodes: onnx.INodeProto[]; tensors: onnx.ITensorProto[] }> {
  const sum = activation === 'linear' ? output : `${name}_sum`;
  const tensors = [floatTensor(`${name}_kernel`, kernel.shape, (await kernel.data()) as Float32Array)];
  if (bias) tensors.push(floatTensor(`${name}_bias`, bias.shape, (await bias.data()) as Float32Array));
  const nodes: onnx.INodeProto[] = [
    { name, opType: 'Gemm', input: [input, ...tensors.map((tensor) => tensor.name!)], output: [sum] },
  ];
  if (activation !== 'linear') {
    nodes.push({
      name: `${name}_${activation}`,
      opType: operators[activation],
      input: [sum],
      output: [output],
    });
  }
  return { nodes, tensors };
}

/**
 * The model as ONNX bytes: input `input`, float32 [N, inputs]; output `output`, float32 [N, units of the last layer].
 * Throws a RecipeFault that names a layer it has no writing for, or a tensor with values that are not finite.
 */
export async function onnxBytes(model: Sequential): Promise<Uint8Array> {
  const parts = denseParts(model);
  const nodes: onnx.INodeProto[] = [];
  const initializer: onnx.ITensorProto[] = [];
  let input = 'input';
  for (const [index, part] of parts.entries()) {
    const output = index === parts.length - 1 ? 'output' : `${part.name}_output`;
    const layer = await layerNodes(part, input, output);
    nodes.push(...layer.nodes);
    initializer.push(...layer.tensors);
    input = output;
  }
  const first = parts[0];
  const last = parts.at(-1);
  if (!first || !last) throw new RecipeFault('the net has no layer', 'give it at least one Dense layer');
  return ModelProto.encode({
    irVersion,
    producerName: 'retrain-tfjs',
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'model',
      node: nodes,
      initializer,
      input: [valueInfo('input', first.kernel.shape[0])],
      output: [valueInfo('output', last.kernel.shape[1])],
    },
  }).finish();
}

/** Writes the model to `name` below $RETRAIN_OUT: whole or not at all. */
export async function saveOnnx(model: Sequential, name: string): Promise<void> {
  const path = below(run.out, name);
  const bytes = await onnxBytes(model);
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await rename(part, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
  process.stderr.write(`wrote ${name}, ${bytes.length} bytes\n`);
}
