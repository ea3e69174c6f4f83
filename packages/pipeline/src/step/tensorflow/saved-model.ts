// TensorFlow's SavedModel as bytes: one graph, no variables folder, no signature. As much of the schema as is written here,
// from tensorflow/core/protobuf/{saved_model,meta_graph}.proto and core/framework/{graph,node_def,function,op_def,attr_value,tensor,
// tensor_shape,versions}.proto of TensorFlow 2.21; field numbers never change.
import protobuf from 'protobufjs/light.js';

/** TensorFlow's DataType numbers, which the C API and tfjs-node share. */
export const dtypes = { float32: 1, int32: 3, complex64: 8, bool: 10, resource: 20 } as const;

export interface TensorProto {
  dtype: number;
  shape: number[];
  /** Little-endian, row-major. */
  content: Uint8Array;
}

/** One of the kinds that tfjs-node's kernels use. */
export type Attribute =
  | { kind: 'string'; value: string }
  | { kind: 'int' | 'float' | 'type'; value: number | number[] }
  | { kind: 'bool'; value: boolean | boolean[] }
  | { kind: 'shape'; value: number[] }
  | { kind: 'tensor'; value: TensorProto };

export interface GraphNode {
  name: string;
  op: string;
  /** `name:output`, or `^name` for an edge of order only; those come last. */
  inputs: string[];
  attributes: Record<string, Attribute>;
}

/** A function of float32 tensors around one node, whose inputs are the function's own. */
export interface OneNodeFunction {
  name: string;
  node: GraphNode;
  /** Name of the node's output in TensorFlow's definition of the operation. */
  result: string;
}

const field = (id: number, type: string, rule?: 'repeated') => ({ id, type, ...(rule ? { rule } : {}) });
const many = (id: number, type: string) => field(id, type, 'repeated');

const map = (id: number, type: string): protobuf.IMapField => ({ ...field(id, type), keyType: 'string' });

const schema = protobuf.Root.fromJSON({
  nested: {
    Dim: { fields: { size: field(1, 'int64') } },
    Shape: { fields: { dim: many(2, 'Dim') } },
    Tensor: {
      fields: { dtype: field(1, 'int32'), tensorShape: field(2, 'Shape'), tensorContent: field(4, 'bytes') },
    },
    List: {
      fields: { i: many(3, 'int64'), f: many(4, 'float'), b: many(5, 'bool'), type: many(6, 'int32') },
    },
    Attr: {
      oneofs: { value: { oneof: ['s', 'i', 'f', 'b', 'type', 'shape', 'tensor', 'list'] } },
      fields: {
        list: field(1, 'List'),
        s: field(2, 'bytes'),
        i: field(3, 'int64'),
        f: field(4, 'float'),
        b: field(5, 'bool'),
        type: field(6, 'int32'),
        shape: field(7, 'Shape'),
        tensor: field(8, 'Tensor'),
      },
    },
    Node: {
      fields: {
        name: field(1, 'string'),
        op: field(2, 'string'),
        input: many(3, 'string'),
        attr: map(5, 'Attr'),
      },
    },
    Versions: { fields: { producer: field(1, 'int32'), minConsumer: field(2, 'int32') } },
    Arg: { fields: { name: field(1, 'string'), type: field(3, 'int32') } },
    Signature: { fields: { name: field(1, 'string'), inputArg: many(2, 'Arg'), outputArg: many(3, 'Arg') } },
    Function: {
      fields: {
        signature: field(1, 'Signature'),
        nodeDef: many(3, 'Node'),
        ret: map(4, 'string'),
        attr: map(5, 'Attr'),
      },
    },
    Library: { fields: { function: many(1, 'Function') } },
    Graph: {
      fields: { node: many(1, 'Node'), library: field(2, 'Library'), versions: field(4, 'Versions') },
    },
    MetaInfo: { fields: { tags: many(4, 'string') } },
    MetaGraph: { fields: { metaInfoDef: field(1, 'MetaInfo'), graphDef: field(2, 'Graph') } },
    SavedModel: { fields: { savedModelSchemaVersion: field(1, 'int64'), metaGraphs: many(2, 'MetaGraph') } },
  },
});
const SavedModel = schema.lookupType('SavedModel');

/** TF_GRAPH_DEF_VERSION of TensorFlow 2.15, the oldest that is supported: later ones read it as it was meant. */
const graphVersion = 1645;
/** The name that a graph is loaded by. */
export const servingTag = 'serve';

const shapeOf = (shape: number[]) => ({ dim: shape.map((size) => ({ size })) });

function attributeOf({ kind, value }: Attribute): object {
  const key = {
    string: 's',
    int: 'i',
    float: 'f',
    bool: 'b',
    type: 'type',
    shape: 'shape',
    tensor: 'tensor',
  }[kind];
  if (kind === 'string') return { s: new TextEncoder().encode(value) };
  if (kind === 'shape') return { shape: shapeOf(value) };
  if (kind === 'tensor') {
    return {
      tensor: { dtype: value.dtype, tensorShape: shapeOf(value.shape), tensorContent: value.content },
    };
  }
  return Array.isArray(value) ? { list: { [key]: value } } : { [key]: value };
}

const attributesOf = (attributes: Record<string, Attribute>): object =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)]));

const nodeOf = ({ name, op, inputs, attributes }: GraphNode): object => ({
  name,
  op,
  input: inputs,
  attr: attributesOf(attributes),
});

const functionOf = ({ name, node, result }: OneNodeFunction): object => ({
  signature: {
    name,
    inputArg: node.inputs.map((input) => ({ name: input, type: dtypes.float32 })),
    outputArg: [{ name: 'result', type: dtypes.float32 }],
  },
  nodeDef: [nodeOf(node)],
  ret: { result: `${node.name}:${result}:0` },
  attr: attributesOf({ _noinline: { kind: 'bool', value: true } }),
});

/** The bytes of `saved_model.pb`. A node whose `op` is the name of one of `functions` calls it. */
export function savedModelBytes(
  nodes: readonly GraphNode[],
  functions: readonly OneNodeFunction[] = [],
): Uint8Array {
  return SavedModel.encode({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: [servingTag] },
        graphDef: {
          node: nodes.map(nodeOf),
          library: { function: functions.map(functionOf) },
          versions: { producer: graphVersion, minConsumer: 0 },
        },
      },
    ],
  }).finish();
}
