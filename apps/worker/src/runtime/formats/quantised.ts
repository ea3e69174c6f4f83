// Whether a graph computes with weights that are stored as integers of 8 bits or less: such a model is compared with retrains that went
// through the same converter. Sources: ONNX operators of version 21, and com.microsoft operators of onnxruntime 1.20.
import type { Dtype } from './dtype.ts';
import type { PlacedGraph } from './onnx-graph.ts';

const smallIntegers: ReadonlySet<Dtype> = new Set<Dtype>(['I4', 'U4', 'I8', 'U8']);

/** By operator: which inputs are quantised values, as against scales and zero points. */
const quantisedInputs: Readonly<Record<string, readonly number[]>> = {
  Cast: [0],
  ConvInteger: [0, 1],
  DequantizeLinear: [0],
  MatMulInteger: [0, 1],
  QLinearConv: [0, 3],
  QLinearMatMul: [0, 3],
  'com.microsoft.DequantizeLinear': [0],
  'com.microsoft.DynamicQuantizeLSTM': [1, 2],
  'com.microsoft.DynamicQuantizeMatMul': [1],
  'com.microsoft.GatherBlockQuantized': [0],
  'com.microsoft.MatMulBnb4': [1],
  'com.microsoft.MatMulIntegerToFloat': [0, 1],
  'com.microsoft.MatMulNBits': [1],
  'com.microsoft.QAttention': [1],
  'com.microsoft.QGemm': [0, 3],
};

/** What hands its first input on as it is. */
const moves: ReadonlySet<string> = new Set([
  'Flatten',
  'Gather',
  'Identity',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/**
 * Whether a tensor of two dimensions or more (one alone: zero points of channels) and small integers feeds an operator that takes
 * quantised values. Null where a subgraph may hold what is not read.
 */
export const hasQuantisedWeights = ({ tensors, nodes, hasSubgraphs }: PlacedGraph): boolean | null => {
  const stored = new Set(
    tensors
      .filter(({ dtype, shape }) => smallIntegers.has(dtype) && shape.length >= 2)
      .map(({ name }) => name),
  );
  for (const { operator, inputs, outputs } of nodes) {
    const asked = Object.hasOwn(quantisedInputs, operator) ? quantisedInputs[operator]! : [];
    if (asked.some((place) => stored.has(inputs[place] ?? ''))) return true;
    // Nodes come after what they use, as ONNX has it.
    if (moves.has(operator) && stored.has(inputs[0] ?? '')) stored.add(outputs[0] ?? '');
  }
  return hasSubgraphs ? null : false;
};
