// Kernels that only move values: slices, and what joins and parts tensors along an axis. tfjs's JavaScript copies the whole
// input first, or goes row by row.
import { type HeapBackend, sizeOf, widthOf } from './heap.ts';
import type { Lowered } from './lower.ts';
import { code, moduleOf, simd } from './module-bytes.ts';
import type { KernelRun, TensorUse } from './recording.ts';

/** Rows of equal length, each at its stride: bytes. */
interface Move {
  from: number;
  to: number;
  fromOffset: number;
  toOffset: number;
  rowBytes: number;
  rows: number;
  fromStride: number;
  toStride: number;
}

/** Pieces of `whole` along `axis`, in order, as moves: into it, or out of it. */
function pieces(whole: TensorUse, parts: TensorUse[], axis: number, joins: boolean): Move[] {
  const rows = sizeOf(whole.shape.slice(0, axis));
  const stride = (sizeOf(whole.shape) / rows) * widthOf(whole.dtype);
  let offset = 0;
  return parts.map((part) => {
    const rowBytes = (sizeOf(part.shape) / rows) * widthOf(part.dtype);
    const at = offset;
    offset += rowBytes;
    return joins
      ? {
          from: part.data,
          to: whole.data,
          fromOffset: 0,
          toOffset: at,
          rowBytes,
          rows,
          fromStride: rowBytes,
          toStride: stride,
        }
      : {
          from: whole.data,
          to: part.data,
          fromOffset: at,
          toOffset: 0,
          rowBytes,
          rows,
          fromStride: stride,
          toStride: rowBytes,
        };
  });
}

const axisOf = ({ attrs }: KernelRun, rank: number): number => {
  const axis = Number([attrs.axis ?? 0].flat()[0]);
  return axis < 0 ? axis + rank : axis;
};

/** A slice that leaves all axes but one whole; null for another. */
function slice(x: TensorUse, output: TensorUse, attrs: KernelRun['attrs']): Move[] | null {
  const begin = [attrs.begin].flat() as number[];
  const cut = x.shape.flatMap((length, axis) => (length === output.shape[axis] ? [] : [axis]));
  if (output.shape.length !== x.shape.length || cut.length > 1) return null;
  const axis = cut[0] ?? 0;
  const [move] = pieces(x, [output], axis, false);
  const inner = sizeOf(x.shape.slice(axis + 1)) * widthOf(x.dtype);
  return [{ ...move!, fromOffset: (begin[axis] ?? 0) * inner }];
}

function movesOf(run: KernelRun): Move[] | null {
  const [output] = run.outputs;
  if (Array.isArray(run.inputs)) {
    const parts = run.inputs.filter((input) => input !== null);
    if (run.name === 'Concat') return pieces(output!, parts, axisOf(run, output!.shape.length), true);
    return run.name === 'Pack' ? pieces(output!, parts, axisOf(run, output!.shape.length), true) : null;
  }
  const { x, value } = run.inputs as Record<string, TensorUse | undefined>;
  if (run.name === 'Slice') return slice(x!, output!, run.attrs);
  if (run.name === 'SplitV') return pieces(x!, run.outputs, axisOf(run, x!.shape.length), false);
  return run.name === 'Unpack' ? pieces(value!, run.outputs, axisOf(run, value!.shape.length), false) : null;
}

/** Rows of up to so many bytes are copied without a call. */
const shortRow = 256;

/** The code of moves whose `from` and `to` are addresses. */
export function movesModule(moves: readonly Move[]): Uint8Array<ArrayBuffer> {
  const [from, to, toGo] = [0, 1, 2];
  const row = (bytes: number): number[] => {
    if (bytes > shortRow || bytes % 16 !== 0) {
      return [...code.get(to), ...code.get(from), ...code.i32(bytes), ...code.copy];
    }
    return Array.from({ length: bytes / 16 }, (_, i) => [
      ...[...code.get(to), ...code.get(from), ...code.simd(simd.load), ...code.memoryAt(16 * i)],
      ...[...code.simd(simd.store), ...code.memoryAt(16 * i)],
    ]).flat();
  };
  const step = (pointer: number, bytes: number): number[] => [
    ...[...code.get(pointer), ...code.i32(bytes), ...code.i32add, ...code.set(pointer)],
  ];
  const body = moves.flatMap((move) => [
    ...[...code.i32(move.from + move.fromOffset), ...code.set(from)],
    ...[...code.i32(move.to + move.toOffset), ...code.set(to)],
    ...[...code.i32(move.rows), ...code.set(toGo)],
    ...code.loop([
      ...row(move.rowBytes),
      ...[...step(from, move.fromStride), ...step(to, move.toStride)],
      ...[...code.get(toGo), ...code.i32(1), ...code.i32sub, ...code.tee(toGo), ...code.again],
    ]),
  ]);
  return moduleOf(3, 0, body);
}

/** Null where the run does more than to move values. */
export function strided(backend: HeapBackend, run: KernelRun): Lowered | null {
  const moves = movesOf(run);
  if (moves === null || run.outputs.some(({ shape }) => sizeOf(shape) === 0)) return null;
  return {
    by: 'copy',
    scratchBytes: 0,
    overwrites: () => false,
    bind({ address }) {
      const placed = moves.map((move) => ({ ...move, from: address(move.from), to: address(move.to) }));
      const module = new WebAssembly.Module(movesModule(placed));
      const { memory } = backend.wasm.asm;
      return new WebAssembly.Instance(module, { env: { memory } }).exports.run as () => void;
    },
  };
}
