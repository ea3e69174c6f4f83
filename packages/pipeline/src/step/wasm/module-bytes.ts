// Writes a WebAssembly module of one function on the engine's memory (WebAssembly core specification 2.0, §5).

const uleb = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
};

/** Of a signed 32-bit integer; an address above 2 GiB is written as the negative number of its bits. */
const sleb = (value: number): number[] => {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest > 63 || rest < -64) {
    bytes.push((rest & 127) | 128);
    rest >>= 7;
  }
  return [...bytes, rest & 127];
};

const vector = (items: number[][]): number[] => [...uleb(items.length), ...items.flat()];
const section = (id: number, body: number[]): number[] => [id, ...uleb(body.length), ...body];
const text = (name: string): number[] => vector([...Buffer.from(name)].map((byte) => [byte]));

const [i32, v128] = [0x7f, 0x7b];

/** One instruction each, as bytes. */
export const code = {
  loop: (body: number[]): number[] => [0x03, 0x40, ...body, 0x0b],
  /** Goes on with the innermost loop while the value on the stack is not 0. */
  again: [0x0d, 0x00],
  get: (local: number): number[] => [0x20, ...uleb(local)],
  set: (local: number): number[] => [0x21, ...uleb(local)],
  tee: (local: number): number[] => [0x22, ...uleb(local)],
  i32: (value: number): number[] => [0x41, ...sleb(value)],
  i32add: [0x6a],
  i32sub: [0x6b],
  i32less: [0x49],
  /** A SIMD instruction by its number. */
  simd: (number: number): number[] => [0xfd, ...uleb(number)],
  /** Of a SIMD load or store: alignment 4, offset 0. */
  memory: [0x02, 0x00],
  /** The same so many bytes on. */
  memoryAt: (offset: number): number[] => [0x02, ...uleb(offset)],
  /** Takes target, source and how many bytes. */
  copy: [0xfc, 0x0a, 0x00, 0x00],
  /** Four floats of one value. */
  constant: (value: number): number[] => {
    const bytes = [...new Uint8Array(new Float32Array([value]).buffer)];
    return [0xfd, 0x0c, ...bytes, ...bytes, ...bytes, ...bytes];
  },
};

/** Numbers of the SIMD instructions that are used here. */
export const simd = {
  load: 0x00,
  loadSplat: 0x09,
  store: 0x0b,
  storeLane: 0x5a,
  loadLane: 0x5c,
  and: 0x4e,
  or: 0x50,
  bitselect: 0x52,
  eq: 0x41,
  ne: 0x42,
  lt: 0x43,
  gt: 0x44,
  le: 0x45,
  ge: 0x46,
  maxInt: 0xb8,
  abs: 0xe0,
  neg: 0xe1,
  sqrt: 0xe3,
  add: 0xe4,
  sub: 0xe5,
  mul: 0xe6,
  div: 0xe7,
  pmin: 0xea,
  pmax: 0xeb,
};

/** A module that imports `env.memory` and exports `run` without parameters, with i32 locals and then v128 locals. */
export function moduleOf(ints: number, vectors: number, body: number[]): Uint8Array<ArrayBuffer> {
  const locals = vector([
    [...uleb(ints), i32],
    [...uleb(vectors), v128],
  ]);
  const func = [...locals, ...body, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([[0x60, 0x00, 0x00]])),
    ...section(2, vector([[...text('env'), ...text('memory'), 0x02, 0x00, 0x01]])),
    ...section(3, vector([[0x00]])),
    ...section(7, vector([[...text('run'), 0x00, 0x00]])),
    ...section(10, vector([[...uleb(func.length), ...func]])),
  ]);
}
