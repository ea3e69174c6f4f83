// Types of tensor elements under one set of names, safetensors' own, whatever the container calls them.

/** Bits an element; STRING has no width. */
export const dtypeBits = {
  BOOL: 8,
  I4: 4,
  U4: 4,
  I8: 8,
  U8: 8,
  I16: 16,
  U16: 16,
  I32: 32,
  U32: 32,
  I64: 64,
  U64: 64,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E8M0: 8,
  F8_E4M3: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2: 8,
  F8_E5M2FNUZ: 8,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
  C128: 128,
  STRING: 0,
} as const;

export type Dtype = keyof typeof dtypeBits;

export const isDtype = (name: unknown): name is Dtype =>
  typeof name === 'string' && Object.hasOwn(dtypeBits, name);

/** Elements of a shape as a bigint: hostile shapes pass 2^53. */
export const elementsOf = (shape: readonly (number | bigint)[]): bigint =>
  shape.reduce<bigint>((product, length) => product * BigInt(length), 1n);

/** Bytes that a tensor takes, its last byte filled up. Not for STRING. */
export const bytesOfTensor = (dtype: Dtype, shape: readonly (number | bigint)[]): bigint =>
  (elementsOf(shape) * BigInt(dtypeBits[dtype]) + 7n) / 8n;
