// Model files of each format as bytes, for the tests: written here independently of the readers.

export interface SampleTensor {
  name: string;
  shape: number[];
  values: number[];
}

const floatBytes = (values: readonly number[]): Buffer => Buffer.from(new Float32Array(values).buffer);

export const safetensorsBytes = (
  tensors: readonly SampleTensor[],
  metadata = { made: 'by a test' },
): Buffer => {
  let at = 0;
  const entries = tensors.map(({ name, shape, values }): [string, object] => {
    at += 4 * values.length;
    return [name, { dtype: 'F32', shape, data_offsets: [at - 4 * values.length, at] }];
  });
  return safetensorsOf(
    JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }),
    Buffer.concat(tensors.map(({ values }) => floatBytes(values))),
  );
};

/** Any header before any values. */
export const safetensorsOf = (header: string, values: Uint8Array): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), values]);
};

const varint = (value: bigint): Buffer => {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    out.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(out);
};

/** A protocol buffer's varint field, and a field of bytes. */
export const integer = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([varint(BigInt(field * 8)), varint(BigInt(value))]);
export const bytes = (field: number, ...parts: (Uint8Array | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint(BigInt(field * 8 + 2)), varint(BigInt(body.length)), body]);
};
export const packedIntegers = (field: number, values: readonly (number | bigint)[]): Buffer =>
  bytes(field, ...values.map((value) => varint(BigInt(value))));

/** How the values of a TensorProto are laid down. */
export type Packing = (values: readonly number[]) => Buffer;
export const raw: Packing = (values) => bytes(9, floatBytes(values));
export const typed: Packing = (values) => bytes(4, floatBytes(values));

export const tensorProto = ({ name, shape, values }: SampleTensor, packing: Packing = raw): Buffer =>
  Buffer.concat([
    ...shape.map((length) => integer(1, length)),
    integer(2, 1),
    bytes(8, name),
    packing(values),
  ]);

export const node = (operator: string, inputs: string[], output: string, ...attributes: Buffer[]): Buffer =>
  bytes(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, operator), ...attributes);

export const integerAttribute = (name: string, value: number): Buffer =>
  bytes(5, bytes(1, name), integer(3, value), integer(20, 2));

export const onnxBytes = (
  tensors: readonly SampleTensor[],
  nodes: readonly Buffer[] = [],
  packing = raw,
): Buffer =>
  onnxOf(
    ...nodes,
    ...tensors.map((tensor) => bytes(5, tensorProto(tensor, packing))),
    bytes(12, bytes(1, 'out')),
  );

/** A model around the fields of a graph. */
export const onnxOf = (...graph: Buffer[]): Buffer =>
  Buffer.concat([integer(1, 8), bytes(2, 'a test'), bytes(7, ...graph), bytes(8, integer(2, 17))]);

/** Six nets; `sizes` are inputs, hidden, outputs. Values are taken in the order of the file. */
export const gnubgNets = (sizes: readonly [number, number, number][], next: () => number) =>
  sizes.map(([inputs, hidden, outputs]) => ({
    sizes: [inputs, hidden, outputs] as const,
    beta: [0.1, 1],
    values: Array.from({ length: inputs * hidden + outputs * hidden + hidden + outputs }, next),
  }));

export const gnubgTextBytes = (nets: ReturnType<typeof gnubgNets>, version = '1.00'): Buffer =>
  Buffer.from(
    [
      `GNU Backgammon ${version}`,
      ...nets.flatMap(({ sizes, beta, values }) => [
        `${sizes.join(' ')} 0 ${beta.map((one) => one.toFixed(7)).join(' ')}`,
        ...values.map((value) => String(Math.fround(value))),
      ]),
      '',
    ].join('\n'),
  );

export const gnubgBinaryBytes = (nets: ReturnType<typeof gnubgNets>, version = 1): Buffer =>
  Buffer.concat([
    floatBytes([472.3782, version]),
    ...nets.flatMap(({ sizes, beta, values }) => [
      Buffer.from(new Uint32Array([...sizes, 1]).buffer),
      floatBytes(beta),
      floatBytes(values),
    ]),
  ]);
