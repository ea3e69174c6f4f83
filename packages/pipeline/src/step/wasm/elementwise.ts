// Chains of element-by-element kernels as one loop of SIMD code. + - × / √ are exact, so the bits are those of the C kernels
// one after the other; what is not (exp, log, sigmoid, tanh) stays with the engine's own C code.
import type { HeapBackend } from './heap.ts';
import type { Lowered } from './lower.ts';
import { code, moduleOf, simd } from './module-bytes.ts';
import type { KernelRun } from './recording.ts';

type Emit = (args: number[][], attrs: KernelRun['attrs']) => number[];

const one =
  (number: number): Emit =>
  ([x]) => [...x!, ...code.simd(number)];
const two =
  (number: number): Emit =>
  ([a, b]) => [...a!, ...b!, ...code.simd(number)];

interface Emitter {
  inputs: string[];
  emit: Emit;
  /** Its result is a mask, all bits of a lane set or none: what stands for a boolean inside of a chain. */
  makesMask?: true;
  /** Inputs that are masks. */
  takesMasks?: string[];
}

const compares = (number: number): Emitter => ({ inputs: ['a', 'b'], makesMask: true, emit: two(number) });
const combines = (number: number): Emitter => ({ ...compares(number), takesMasks: ['a', 'b'] });

/** What tfjs's C code computes, -0, NaN and infinities included, by kernel name. An argument may be pushed more than once. */
export const emitters: Record<string, Emitter> = {
  Add: { inputs: ['a', 'b'], emit: two(simd.add) },
  Sub: { inputs: ['a', 'b'], emit: two(simd.sub) },
  Multiply: { inputs: ['a', 'b'], emit: two(simd.mul) },
  RealDiv: { inputs: ['a', 'b'], emit: two(simd.div) },
  // a < b ? b : a, so that a NaN on the left stays and one on the right is passed over.
  Maximum: { inputs: ['a', 'b'], emit: two(simd.pmax) },
  Minimum: { inputs: ['a', 'b'], emit: two(simd.pmin) },
  Abs: { inputs: ['x'], emit: one(simd.abs) },
  Neg: { inputs: ['x'], emit: one(simd.neg) },
  Sqrt: { inputs: ['x'], emit: one(simd.sqrt) },
  Square: { inputs: ['x'], emit: ([x]) => [...x!, ...x!, ...code.simd(simd.mul)] },
  // XNNPACK takes the larger one of the bits read as integers: -0 and a NaN with its sign set give 0.
  Relu: { inputs: ['x'], emit: ([x]) => [...x!, ...code.constant(0), ...code.simd(simd.maxInt)] },
  Equal: compares(simd.eq),
  NotEqual: compares(simd.ne),
  Less: compares(simd.lt),
  LessEqual: compares(simd.le),
  Greater: compares(simd.gt),
  GreaterEqual: compares(simd.ge),
  LogicalAnd: combines(simd.and),
  LogicalOr: combines(simd.or),
  Select: {
    inputs: ['condition', 't', 'e'],
    takesMasks: ['condition'],
    emit: ([condition, t, e]) => [...t!, ...e!, ...condition!, ...code.simd(simd.bitselect)],
  },
  // Of a boolean; other casts are no exact arithmetic.
  Cast: {
    inputs: ['x'],
    takesMasks: ['x'],
    emit: ([x]) => [...x!, ...code.constant(1), ...code.simd(simd.and)],
  },
  // Only where it repeats one row, column or value; tfjs's C code takes 150 ns a value for it.
  Tile: { inputs: ['x'], emit: ([x]) => x! },
  // NaN stays NaN; the gradient of relu has alpha 0.
  Step: {
    inputs: ['x'],
    emit: ([x], { alpha }) => [
      ...x!,
      ...code.constant(1),
      ...code.constant(alpha as number),
      ...[...x!, ...code.constant(0), ...code.simd(simd.gt), ...code.simd(simd.bitselect)],
      ...[...x!, ...x!, ...code.simd(simd.ne), ...code.simd(simd.bitselect)],
    ],
  },
};

/** How an operand is laid along the values: one each, one for all, one row that repeats, or one value a row. */
export type Along = 'each' | 'one' | 'row' | 'column';

export interface Operand {
  data: number;
  along: Along;
}

export interface Group {
  /** Values of a row; without a row or column operand, all values. */
  width: number;
  rows: number;
  operands: Operand[];
  /** In order; arguments and result by data. */
  steps: { kernel: string; attrs: KernelRun['attrs']; args: number[]; out: number }[];
  /** What others need of the results. */
  outputs: number[];
}

/** The code of a group on the addresses of its operands and outputs, in their order. */
export function groupModule(group: Group, addresses: readonly number[]): Uint8Array<ArrayBuffer> {
  const { width, rows, operands, steps, outputs } = group;
  // Locals: an address each, the byte within a row, the rows to go, then a vector for each value.
  const [at, toGo] = [addresses.length, addresses.length + 1];
  const vectors = new Map<number, number>();
  const local = (data: number): number => {
    const known = vectors.get(data) ?? addresses.length + 2 + vectors.size;
    vectors.set(data, known);
    return known;
  };
  const here = (pointer: number): number[] => [...code.get(pointer), ...code.get(at), ...code.i32add];
  const loads = (number: number): number[] =>
    operands.flatMap(({ data, along }, i) =>
      along === 'one' || along === 'column'
        ? []
        : [...here(i), ...code.simd(number), ...code.memory, ...code.set(local(data))],
    );
  const computing = (): number[] =>
    steps.flatMap(({ kernel, attrs, args, out }) => [
      ...emitters[kernel]!.emit(
        args.map((data) => code.get(local(data))),
        attrs,
      ),
      ...code.set(local(out)),
    ]);
  const stores = (number: number, lane: number[]): number[] =>
    outputs.flatMap((data, i) => [
      ...here(operands.length + i),
      ...code.get(local(data)),
      ...[...code.simd(number), ...code.memory, ...lane],
    ]);
  const plus = (pointer: number, bytes: number): number[] => [
    ...code.get(pointer),
    ...code.i32(bytes),
    ...code.i32add,
  ];
  const splats = (of: Along): number[] =>
    operands.flatMap(({ data, along }, i) =>
      along === of
        ? [...code.get(i), ...code.simd(simd.loadSplat), ...code.memory, ...code.set(local(data))]
        : [],
    );
  const whole = width - (width % 4);
  const fours = code.loop([
    ...[...loads(simd.load), ...computing(), ...stores(simd.store, [])],
    ...[...plus(at, 16), ...code.tee(at), ...code.i32(4 * whole), ...code.i32less, ...code.again],
  ]);
  const single = [
    ...[...loads(simd.loadLane), ...computing(), ...stores(simd.storeLane, [0])],
    ...[...plus(at, 4), ...code.set(at)],
  ];
  const nextRow = addresses.flatMap((_, i) => {
    const along = operands[i]?.along ?? 'each';
    const bytes = { each: 4 * width, column: 4, row: 0, one: 0 }[along];
    return bytes > 0 ? [...plus(i, bytes), ...code.set(i)] : [];
  });
  const body = [
    ...addresses.flatMap((address, i) => [...code.i32(address), ...code.set(i)]),
    ...splats('one'),
    ...[...code.i32(rows), ...code.set(toGo)],
    ...code.loop([
      ...[...code.i32(0), ...code.set(at)],
      ...splats('column'),
      ...(whole > 0 ? fours : []),
      ...Array.from({ length: width % 4 }, () => single).flat(),
      ...nextRow,
      ...[...code.get(toGo), ...code.i32(1), ...code.i32sub, ...code.tee(toGo), ...code.again],
    ]),
  ];
  return moduleOf(addresses.length + 2, vectors.size, body);
}

/** Null where the run is no group. */
export function elementwise(backend: HeapBackend, { group }: KernelRun): Lowered | null {
  if (!group) return null;
  return {
    by: 'loop',
    scratchBytes: 0,
    // Each value is read before the same place is written; a single value is read before all.
    overwrites: (data) =>
      group.operands.some((operand) => operand.data === data) &&
      group.operands.every(
        (operand) => operand.data !== data || operand.along === 'each' || group.width * group.rows === 1,
      ),
    bind(layout) {
      const addresses = [...group.operands.map(({ data }) => data), ...group.outputs].map(layout.address);
      const module = new WebAssembly.Module(groupModule(group, addresses));
      const { memory } = backend.wasm.asm;
      return new WebAssembly.Instance(module, { env: { memory } }).exports.run as () => void;
    },
  };
}
