// The graph of an ONNX file as far as comparing needs it: its tensors, its nodes, a digest of what they compute.
import { createHash } from 'node:crypto';
import type { ExternalData } from './external-data.ts';
import type { FileBytes } from './file-bytes.ts';
import { ModelFault, quoted } from './model-fault.ts';
import { type Budget, integersAt, placedFields, type Range, rangeOf, textAt } from './onnx-fields.ts';
import { type OnnxTensor, readOnnxTensor } from './onnx-tensor.ts';

export interface OnnxNode {
  operator: string;
  inputs: string[];
  outputs: string[];
  /** Attributes that are one integer (transA, transB, axis). */
  integers: Record<string, number>;
}

export interface PlacedGraph {
  tensors: OnnxTensor[];
  nodes: OnnxNode[];
  /** Names of the graph's outputs. */
  outputs: string[];
  structureSha256: string;
  /** Whether a node holds a graph of its own (If, Loop), which may use any value by its name. */
  hasSubgraphs: boolean;
}

const chunkBytes = 65_536;
const maxTensors = 250_000;

const digestOfRange = (file: FileBytes, { begin, end }: Range): string => {
  const hash = createHash('sha256');
  for (let at = begin; at < end; at += chunkBytes)
    hash.update(file.bytes(at, Math.min(chunkBytes, end - at)));
  return hash.digest('hex');
};

export const readPlacedGraph = (file: FileBytes, external: ExternalData): PlacedGraph => {
  const budget: Budget = { fields: 0 };
  const tensors: OnnxTensor[] = [];
  const nodes: OnnxNode[] = [];
  const outputs: string[] = [];
  const structure = createHash('sha256');
  let hasSubgraphs = false;

  const readAttribute = (node: OnnxNode, range: Range): { line: string; value: OnnxTensor | null } => {
    let name = '';
    let tensor: Range | null = null;
    const rest: string[] = [];
    for (const field of placedFields(file, range, 'an attribute', budget)) {
      if (field.number === 1) name = textAt(file, field, 'an attribute');
      else if (field.number === 5) tensor = rangeOf(field, 'an attribute');
      else if (field.number !== 13) rest.push(`${field.number} ${field.value ?? digestOfRange(file, field)}`);
      if (field.number === 6 || field.number === 11) hasSubgraphs = true;
      if (field.number === 3) node.integers[name] = Number([...integersAt(file, field)][0] ?? 0);
    }
    const value = tensor && readOnnxTensor(file, tensor, external, budget);
    // The value of a Constant is a tensor of the file like any other, and compared as one.
    if (tensor && node.operator !== 'Constant') rest.push(digestOfRange(file, tensor));
    return { line: JSON.stringify([name, ...rest]), value };
  };

  const readNode = (range: Range): void => {
    const node: OnnxNode = { operator: '', inputs: [], outputs: [], integers: Object.create(null) };
    const attributes: Range[] = [];
    let domain = '';
    for (const field of placedFields(file, range, 'a node', budget)) {
      if (field.number === 1) node.inputs.push(textAt(file, field, 'a node'));
      else if (field.number === 2) node.outputs.push(textAt(file, field, 'a node'));
      else if (field.number === 4) node.operator = textAt(file, field, 'a node');
      else if (field.number === 5) attributes.push(rangeOf(field, 'a node'));
      else if (field.number === 7) domain = textAt(file, field, 'a node');
    }
    if (node.operator === '') throw new ModelFault('a node without an operator: this is no ONNX graph');
    if (domain !== '' && domain !== 'ai.onnx') node.operator = `${domain}.${node.operator}`;
    const read = attributes.map((one) => readAttribute(node, one));
    for (const { value } of read) {
      if (value && node.operator === 'Constant') tensors.push({ ...value, name: node.outputs[0] ?? '' });
    }
    nodes.push(node);
    const lines = read.map(({ line }) => line).sort();
    structure.update(`node ${JSON.stringify([node.operator, node.inputs, node.outputs, lines])}\n`);
  };

  const readGraph = (range: Range): void => {
    for (const field of placedFields(file, range, 'the graph', budget)) {
      if (field.number === 1) readNode(rangeOf(field, 'a node'));
      else if (field.number === 5)
        tensors.push(readOnnxTensor(file, rangeOf(field, 'a tensor'), external, budget));
      else if (field.number === 11 || field.number === 12) {
        const kind = field.number === 11 ? 'input' : 'output';
        for (const part of placedFields(file, rangeOf(field, kind), `an ${kind}`, budget)) {
          if (part.number === 1) {
            const name = textAt(file, part, `an ${kind}`);
            if (kind === 'output') outputs.push(name);
            structure.update(`${kind} ${JSON.stringify(name)}\n`);
          } else if (part.number === 2)
            structure.update(`type ${digestOfRange(file, rangeOf(part, kind))}\n`);
        }
      } else if (field.number === 15) throw new ModelFault('it has sparse tensors, which are not read');
    }
  };

  let graphs = 0;
  for (const field of placedFields(file, { begin: 0, end: file.size }, 'the file', budget)) {
    if (field.number === 7) {
      if (++graphs > 1) throw new ModelFault('it holds two graphs');
      readGraph(rangeOf(field, 'the graph'));
    } else if (field.number === 25)
      throw new ModelFault('it defines functions of its own, which are not read');
    else if (field.number === 8)
      structure.update(`opset ${digestOfRange(file, rangeOf(field, 'an opset'))}\n`);
  }
  if (graphs === 0)
    throw new ModelFault('it has no graph: this is no ONNX model', 'name an ONNX, safetensors or gnubg file');
  if (tensors.length > maxTensors) throw new ModelFault(`it holds more than ${maxTensors} tensors`);
  const given = new Set<string>();
  for (const { name } of tensors) {
    if (given.has(name))
      throw new ModelFault(`it holds two tensors named ${quoted(name)}`, 'name each tensor once');
    given.add(name);
  }
  // What a node gives must be new, as ONNX has it: walks along the graph rely on it.
  for (const { operator, outputs: results } of nodes) {
    for (const name of results) {
      if (name === '' || (operator === 'Constant' && name === results[0])) continue;
      if (given.has(name))
        throw new ModelFault(`two things in its graph are named ${quoted(name)}`, 'name each value once');
      given.add(name);
    }
  }
  return { tensors, nodes, outputs, structureSha256: structure.digest('hex'), hasSubgraphs };
};
