// Replays a kernel run by the C calls that it made, without the JavaScript around them.
import { type HeapBackend, sizeOf } from './heap.ts';
import type { Layout, Lowered, Pool } from './lower.ts';
import type { KernelRun, Stored } from './recording.ts';

/**
 * C functions that keep an XNNPACK operator, with the weights packed, for each id of the weights: packed anew at each call,
 * since other values lie there each time (batch_mat_mul_impl.cc, conv2d_impl.cc, prelu_impl.cc).
 */
const packing = new Set([
  'BatchMatMul',
  '_FusedMatMul',
  'Conv2D',
  'FusedConv2D',
  'DepthwiseConv2dNative',
  'FusedDepthwiseConv2D',
  'Prelu',
]);

type Call = (...args: number[]) => unknown;

/** A call with its arguments at hand: without an array to spread for the common lengths. */
function bound(call: Call, args: number[]): () => void {
  const [a, b, c, d, e, f, g, h] = args as [number, number, number, number, number, number, number, number];
  switch (args.length) {
    case 3:
      return () => void call(a, b, c);
    case 4:
      return () => void call(a, b, c, d);
    case 5:
      return () => void call(a, b, c, d, e);
    case 7:
      return () => void call(a, b, c, d, e, f, g);
    case 8:
      return () => void call(a, b, c, d, e, f, g, h);
    default:
      return () => void call(...args);
  }
}

/** Null where the C calls are not the whole of the run. */
export function cCalls(backend: HeapBackend, run: KernelRun, stored: Stored[], pool: Pool): Lowered | null {
  const { wasm } = backend;
  const known = run.calls.every(({ name }) => typeof wasm.asm[name] === 'function');
  const empty = run.outputs.every(({ shape }) => sizeOf(shape) === 0);
  if (run.hostWork || !known || (run.calls.length === 0 && !empty)) return null;
  const calls = run.calls.map((call) => ({
    name: call.name,
    args: call.args.map((arg) =>
      typeof arg === 'object' && 'bytes' in arg ? { constant: pool.add(arg.bytes) } : arg,
    ),
  }));
  return {
    by: 'C',
    scratchBytes: 0,
    overwrites: () => false,
    bind(layout) {
      const steps = calls.map(({ name, args }) => {
        const call = bound(
          wasm.asm[name]!,
          args.map((arg) => {
            if (typeof arg === 'number') return arg;
            return 'data' in arg ? layout.id(arg.data) : layout.constant(arg.constant);
          }),
        );
        return packing.has(name) ? repacked(backend, call, given(run, args), stored, layout) : call;
      });
      if (steps.length === 1) return steps[0]!;
      return () => {
        for (const step of steps) step();
      };
    },
  };
}

type Placed = number | { data: number } | { constant: number };

/** The data that a call reads. */
const given = (run: KernelRun, args: Placed[]): number[] =>
  args
    .flatMap((arg) => (typeof arg === 'object' && 'data' in arg ? [arg.data] : []))
    .filter((data) => !run.outputs.some((output) => output.data === data));

function repacked(
  { wasm }: HeapBackend,
  call: () => void,
  read: number[],
  stored: Stored[],
  layout: Layout,
): () => void {
  const { registerTensor, disposeData } = wasm.tfjs;
  const entries = read.map((data) => ({
    id: layout.id(data),
    size: stored[data]!.size,
    address: layout.address(data),
  }));
  return () => {
    for (const { id, size, address } of entries) {
      disposeData(id);
      registerTensor(id, size, address);
    }
    call();
  };
}
