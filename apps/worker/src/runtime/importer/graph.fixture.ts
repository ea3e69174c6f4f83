// Small ONNX graphs for tests: nodes in a row, each on the result of the one before.
import onnxProto, { type onnx } from 'onnx-proto';

// A CommonJS module whose names Node cannot tell in advance.
const { ModelProto, TensorProto, AttributeProto } = onnxProto.onnx;
const { AttributeType } = AttributeProto;

type SampleAttribute = number | string | number[] | { float: number };

export interface SampleNode {
  op: string;
  domain?: string;
  constants?: { shape: number[]; values?: Float32Array; integers?: number[] }[];
  attributes?: Record<string, SampleAttribute>;
  /** The constants come before the value. */
  first?: boolean;
  /** The value is given twice. */
  twice?: boolean;
}

const attributeOf = ([name, value]: [string, SampleAttribute]): onnx.IAttributeProto => {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: Buffer.from(value) };
  if (Array.isArray(value)) return { name, type: AttributeType.INTS, ints: value };
  return { name, type: AttributeType.FLOAT, f: value.float };
};

/** `asks`: the name that the first node takes in the input's stead. */
export const graphBytes = (
  record: readonly number[],
  nodes: readonly SampleNode[],
  opset = 14,
  { asks = 'input' }: { asks?: string } = {},
): Uint8Array => {
  const initializer: onnx.ITensorProto[] = [];
  let current = asks;
  const drawn = nodes.map(
    ({ op, domain, constants = [], attributes = {}, first, twice }, i): onnx.INodeProto => {
      const names = constants.map(({ shape, values, integers }, j) => {
        const name = `constant_${i}_${j}`;
        const { FLOAT, INT64 } = TensorProto.DataType;
        initializer.push(
          values
            ? { name, dims: shape, dataType: FLOAT, floatData: Array.from(values) }
            : { name, dims: shape, dataType: INT64, int64Data: integers! },
        );
        return name;
      });
      const given = twice ? [current, current] : [current];
      current = i === nodes.length - 1 ? 'output' : `value_${i}`;
      return {
        opType: op,
        ...(domain ? { domain } : {}),
        input: first ? [...names, ...given] : [...given, ...names],
        output: [current],
        attribute: Object.entries(attributes).map(attributeOf),
      };
    },
  );
  const info = (name: string, dims: readonly number[] | null): onnx.IValueInfoProto => ({
    name,
    type: {
      tensorType: {
        elemType: TensorProto.DataType.FLOAT,
        ...(dims && { shape: { dim: [{ dimParam: 'N' }, ...dims.map((dimValue) => ({ dimValue }))] } }),
      },
    },
  });
  return ModelProto.encode({
    irVersion: 7,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'sample',
      node: drawn,
      initializer,
      input: [info('input', record)],
      output: [info('output', null)],
    },
  }).finish();
};
