// Dense layers in a row in an ONNX graph: Gemm or MatMul with a weight matrix of the file, a bias, an elementwise activation, and
// the next. The units between two such layers may be renumbered; anything that uses them otherwise ends the chain there.
import type { Chain, Hidden } from './model-file.ts';
import type { OnnxNode, PlacedGraph } from './onnx-graph.ts';

/** Each unit by itself, all alike: renumbering passes through. */
const elementwise = new Set([
  'Relu',
  'Sigmoid',
  'Tanh',
  'LeakyRelu',
  'Elu',
  'Selu',
  'Celu',
  'Gelu',
  'Softplus',
  'Softsign',
  'HardSigmoid',
  'HardSwish',
  'ThresholdedRelu',
  'Identity',
  'Dropout',
]);

interface Layer {
  weights: string;
  /** Axes of the weights that run over inputs and outputs. */
  inAxis: number;
  outAxis: number;
  width: number;
  inputs: number;
  biases: string[];
  /** Where the units of this layer come out, after bias and activation. */
  output: string;
}

/** Operators between two layers; a net has one or two. */
const maxSteps = 64;

export const denseChains = ({ tensors, nodes, outputs, hasSubgraphs }: PlacedGraph): Chain[] => {
  if (hasSubgraphs) return [];
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const users = new Map<string, OnnxNode[]>();
  const uses = new Map<string, number>();
  for (const node of nodes) {
    for (const name of node.inputs) {
      const known = users.get(name) ?? [];
      known.push(node);
      users.set(name, known);
      uses.set(name, (uses.get(name) ?? 0) + 1);
    }
  }
  const public_ = new Set(outputs);
  // A tensor in two places cannot be renumbered in one of them.
  const ownTensor = (name: string | undefined): name is string =>
    name !== undefined && shapes.has(name) && uses.get(name) === 1 && !public_.has(name);
  const onlyUser = (name: string): OnnxNode | null => {
    const found = users.get(name) ?? [];
    return found.length === 1 && uses.get(name) === 1 && !public_.has(name) ? found[0]! : null;
  };

  const layerOf = (node: OnnxNode): Layer | null => {
    const [data, weights, bias] = node.inputs;
    if (node.operator !== 'Gemm' && node.operator !== 'MatMul') return null;
    if (!ownTensor(weights) || data === undefined || shapes.has(data) || node.integers.transA) return null;
    const shape = shapes.get(weights)!;
    if (shape.length !== 2 || shape.includes(0)) return null;
    const outAxis = node.operator === 'Gemm' && node.integers.transB ? 0 : 1;
    const width = shape[outAxis]!;
    const biases: string[] = [];
    const isBias = (name: string | undefined): name is string => {
      if (!ownTensor(name)) return false;
      const own = shapes.get(name)!;
      return own.at(-1) === width && own.slice(0, -1).every((length) => length === 1);
    };
    if (bias !== undefined && bias !== '') {
      if (!isBias(bias)) return null;
      biases.push(bias);
    }
    let output = node.outputs[0]!;
    let next = onlyUser(output);
    for (let steps = 0; next && steps < maxSteps; next = onlyUser(output), steps++) {
      if (next.operator === 'Add') {
        const other = next.inputs[0] === output ? next.inputs[1] : next.inputs[0];
        if (!isBias(other)) break;
        biases.push(other);
      } else if (
        !elementwise.has(next.operator) ||
        next.inputs[0] !== output ||
        next.inputs.slice(1).some((name) => !shapes.has(name) && name !== '')
      )
        break;
      output = next.outputs[0]!;
      // A second output (Dropout's mask) that is used shows the numbering.
      if (next.outputs.slice(1).some((name) => users.has(name) || public_.has(name))) return null;
    }
    return { weights, inAxis: 1 - outAxis, outAxis, width, inputs: shape[1 - outAxis]!, biases, output };
  };

  const layers = new Map<OnnxNode, Layer>();
  for (const node of nodes) {
    const layer = layerOf(node);
    if (layer) layers.set(node, layer);
  }
  const chains: Chain[] = [];
  const followed = new Set<OnnxNode>();
  for (const [node, first] of layers) {
    if (followed.has(node)) continue;
    const chain: Hidden[] = [];
    for (let layer = first; ; ) {
      const next = onlyUser(layer.output);
      const after = next && next.inputs[0] === layer.output ? layers.get(next) : undefined;
      if (!next || !after || after.inputs !== layer.width || followed.has(next)) break;
      followed.add(next);
      chain.push({
        width: layer.width,
        uses: [
          { tensor: layer.weights, axis: layer.outAxis },
          ...layer.biases.map((tensor) => ({ tensor, axis: shapes.get(tensor)!.length - 1 })),
          { tensor: after.weights, axis: after.inAxis },
        ],
      });
      layer = after;
    }
    if (chain.length > 0) chains.push(chain);
  }
  return chains;
};
