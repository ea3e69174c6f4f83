// Arrays as npy files (NEP 1, version 1.0), which the evaluator and numpy read.

const descriptions = { Float32Array: '<f4', Int32Array: '<i4', Uint8Array: '|u1' } as const;

/** The file of a row-major array of this shape. Throws RangeError where the values do not fill it. */
export const npyBytes = (
  shape: readonly number[],
  values: Float32Array | Int32Array | Uint8Array,
): Uint8Array => {
  if (shape.reduce((size, length) => size * length, 1) !== values.length)
    throw new RangeError(`${values.length} values do not fill ${shape.join('x')}`);
  const descr = descriptions[values.constructor.name as keyof typeof descriptions];
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  // Magic, version and length are ten bytes; header and line end fill up to a multiple of 64.
  const header = `${dict.padEnd(64 * Math.ceil((dict.length + 11) / 64) - 11)}\n`;
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), bytes]);
};
