// TensorFlow with oneDNN replaces some operations of a graph by oneDNN's, which it does not do when they are executed one by
// one: other bits than the eager step's, and for a softmax of six dimensions an error. Its pass over the graph
// (mkl_layout_pass.cc) does not look into functions: so each of these operations becomes one.
import type { GraphNode, OneNodeFunction } from './saved-model.ts';

/** By the operation's name. Convolutions, products and pools are oneDNN's in both. */
const plain: Record<string, OneNodeFunction> = {
  Softmax: {
    name: 'RetrainSoftmax',
    node: {
      name: 'softmax',
      op: 'Softmax',
      inputs: ['logits'],
      attributes: { T: { kind: 'type', value: 1 } },
    },
    result: 'softmax',
  },
};

export const plainFunctions: readonly OneNodeFunction[] = Object.values(plain);

/** The node, or a call of the function that stands for it. */
export function plainNode(node: GraphNode): GraphNode {
  const fn = plain[node.op];
  const { T } = node.attributes;
  return fn && T?.value === 1 ? { ...node, op: fn.name, attributes: {} } : node;
}
