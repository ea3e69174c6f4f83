// What an ONNX file says, as far as the farm must know it before it hands the file to onnxruntime: tensors, graph, inputs.
// Names of tools, versions and documentation are passed over: they are no part of the model. Source: onnx.proto.
import { createHash } from 'node:crypto';
import type { ExternalData } from '../formats/external-data.ts';
import { quoted } from '../formats/model-fault.ts';
import { readTensor, type Tensor } from './tensor.ts';
import { bytesOf, fieldsOf, integersOf, ModelFault, textOf } from './wire.ts';

export interface ValueInfo {
  name: string;
  /** DataType of a tensor; null for sequences, maps and what is not said. */
  type: number | null;
  /** Null: not said at all. A dimension that is free or named is null. */
  shape: (number | null)[] | null;
}

/** A node as far as it is read here; what its attributes say: onnx/attributes.ts. */
export interface OnnxOperation {
  /** With the domain before it where that is not ONNX's own: `com.microsoft.Gelu`. */
  operator: string;
  inputs: string[];
  outputs: string[];
  /** Each an AttributeProto. */
  attributes: Uint8Array[];
}

interface Graph {
  tensors: Tensor[];
  /** Every node as canonical lines. */
  nodes: string[][];
  /** The same nodes, in the file's order. */
  operations: OnnxOperation[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
}

export interface OnnxModel {
  graph: Graph;
  opsets: string[];
  /** Version of ONNX's own operators; 0 where it is not said. */
  opset: number;
}

/** Subgraphs (If, Loop) in subgraphs. */
const maxDepth = 8;

const readShape = (message: Uint8Array): (number | null)[] => {
  const dims: (number | null)[] = [];
  for (const { number, value } of fieldsOf(message, 'a shape')) {
    if (number !== 1) continue;
    let dim: number | null = null;
    for (const part of fieldsOf(bytesOf(value, 'a dimension'), 'a dimension')) {
      if (part.number === 1) dim = Number(integersOf(part.value)[0]);
    }
    dims.push(dim);
  }
  return dims;
};

const readValueInfo = (message: Uint8Array): ValueInfo => {
  const info: ValueInfo = { name: '', type: null, shape: null };
  for (const { number, value } of fieldsOf(message, 'an input or output')) {
    if (number === 1) info.name = textOf(value, 'a name');
    if (number !== 2) continue;
    for (const kind of fieldsOf(bytesOf(value, 'a type'), 'a type')) {
      if (kind.number !== 1) continue;
      for (const part of fieldsOf(bytesOf(kind.value, 'a tensor type'), 'a tensor type')) {
        if (part.number === 1) info.type = Number(part.value);
        if (part.number === 2) info.shape = readShape(bytesOf(part.value, 'a shape'));
      }
    }
  }
  return info;
};

const digestLine = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const tensorLine = ({ name, type, shape, bytes }: Tensor): string =>
  `tensor ${JSON.stringify(name)} ${type} ${shape.join('x')} ${digestLine(bytes)}`;

/** An attribute as text: its name, and its value with tensors and graphs in canonical form. */
const attributeLine = (message: Uint8Array, depth: number, external: ExternalData | null): string => {
  let name = '';
  const values: string[] = [];
  for (const { number, value } of fieldsOf(message, 'an attribute')) {
    if (number === 1) name = textOf(value, 'an attribute');
    else if (number === 5 || number === 10)
      values.push(tensorLine(readTensor(bytesOf(value, 'a tensor'), 'a tensor', external)));
    else if (number === 6 || number === 11)
      values.push(...graphLines(readGraph(bytesOf(value, 'a graph'), external, depth + 1)));
    else if (number !== 13)
      values.push(`${number} ${typeof value === 'bigint' ? value : Buffer.from(value).toString('hex')}`);
  }
  return `attribute ${JSON.stringify(name)} ${values.join(' ')}`;
};

const readNode = (
  message: Uint8Array,
  depth: number,
  external: ExternalData | null,
): { lines: string[]; operation: OnnxOperation } => {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Uint8Array[] = [];
  let operator = '';
  let domain = '';
  for (const { number, value } of fieldsOf(message, 'a node')) {
    if (number === 1) inputs.push(textOf(value, 'a node'));
    else if (number === 2) outputs.push(textOf(value, 'a node'));
    else if (number === 4) operator = textOf(value, 'a node');
    else if (number === 5) attributes.push(bytesOf(value, 'an attribute'));
    else if (number === 7) domain = textOf(value, 'a node');
  }
  if (operator === '') throw new ModelFault('a node without an operator: this is no ONNX graph');
  const ownDomain = domain === 'ai.onnx' ? '' : domain;
  return {
    lines: [
      `node ${JSON.stringify([ownDomain, operator, inputs, outputs])}`,
      ...attributes.map((one) => attributeLine(one, depth, external)).sort(),
    ],
    operation: {
      operator: ownDomain === '' ? operator : `${ownDomain}.${operator}`,
      inputs,
      outputs,
      attributes,
    },
  };
};

const readGraph = (message: Uint8Array, external: ExternalData | null, depth = 0): Graph => {
  if (depth > maxDepth) throw new ModelFault(`graphs are nested more than ${maxDepth} deep`);
  const graph: Graph = { tensors: [], nodes: [], operations: [], inputs: [], outputs: [] };
  const names = new Set<string>();
  for (const { number, value } of fieldsOf(message, 'the graph')) {
    if (number === 1) {
      const { lines, operation } = readNode(bytesOf(value, 'a node'), depth, external);
      graph.nodes.push(lines);
      graph.operations.push(operation);
    } else if (number === 5) {
      const tensor = readTensor(bytesOf(value, 'a tensor'), 'a tensor', external);
      // Which of two onnxruntime would take is its own affair; a digest must not depend on it.
      if (names.has(tensor.name)) throw new ModelFault(`it holds two tensors named ${quoted(tensor.name)}`);
      names.add(tensor.name);
      graph.tensors.push(tensor);
    } else if (number === 11) graph.inputs.push(readValueInfo(bytesOf(value, 'an input')));
    else if (number === 12) graph.outputs.push(readValueInfo(bytesOf(value, 'an output')));
    else if (number === 15) throw new ModelFault('it has sparse tensors, which are not read');
  }
  return graph;
};

const valueLine = (kind: string, { name, type, shape }: ValueInfo): string =>
  `${kind} ${JSON.stringify([name, type, shape])}`;

const graphLines = ({ tensors, nodes, inputs, outputs }: Graph): string[] => [
  ...tensors.map(tensorLine).sort(),
  ...nodes.flat(),
  ...inputs.map((one) => valueLine('input', one)),
  ...outputs.map((one) => valueLine('output', one)),
];

/**
 * Reads a whole file. `external`: values that lie in files beside it; null: such a model is refused. Throws ModelFault with the reason
 * where it is no ONNX model that can be judged.
 */
export const readOnnx = (bytes: Uint8Array, external: ExternalData | null = null): OnnxModel => {
  let graph: Graph | null = null;
  const opsets: string[] = [];
  let opset = 0;
  for (const { number, value } of fieldsOf(bytes, 'the file')) {
    if (number === 7) graph = readGraph(bytesOf(value, 'the graph'), external);
    else if (number === 25) throw new ModelFault('it defines functions of its own, which are not read');
    else if (number === 8) {
      let domain = '';
      let version = 0n;
      for (const part of fieldsOf(bytesOf(value, 'an opset'), 'an opset')) {
        if (part.number === 1) domain = textOf(part.value, 'an opset');
        else if (part.number === 2) version = integersOf(part.value)[0]!;
      }
      if (domain === '' || domain === 'ai.onnx') opset = Number(version);
      opsets.push(`opset ${JSON.stringify(domain)} ${version}`);
    }
  }
  if (graph === null) throw new ModelFault('it has no graph: this is no ONNX model');
  external?.refuseOverlaps();
  return { graph, opsets: opsets.sort(), opset };
};

/**
 * Digest of what the model computes with: tensors (name, type, shape, bytes), nodes, inputs, outputs, operator sets. Two files that
 * differ only in documentation, producer or in how tensors are packed have the same digest.
 */
export const modelDigest = ({ graph, opsets }: OnnxModel): string =>
  createHash('sha256')
    .update([...opsets, ...graphLines(graph)].join('\n'))
    .digest('hex');

/** The inputs that a caller must give: initializers may be named among the inputs (IR version 3). */
export const askedInputs = ({ graph }: OnnxModel): ValueInfo[] => {
  const given = new Set(graph.tensors.map(({ name }) => name));
  return graph.inputs.filter(({ name }) => !given.has(name));
};
