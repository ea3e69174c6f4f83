// UnsortedSegmentSum, the gradient of gather and of embeddings: row i of x is added to row segmentIds[i] of the output, in
// the order of i, so the same rows give the same bits. The cpu backend makes one pass over all of x a segment.
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmBackend } from './backend.ts';

/** x: float32 or int32 [n, …]; segmentIds: int32, a prefix of x's shape; ids outside 0 … numSegments - 1 are dropped. */
export const unsortedSegmentSum: KernelFunc = ({ inputs, attrs, backend }) => {
  const wasm = backend as WasmBackend;
  const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
  const { numSegments } = attrs as unknown as { numSegments: number };
  const inner = x.shape.slice(segmentIds.shape.length);
  const width = inner.reduce((product, length) => product * length, 1);
  const out = wasm.makeOutput([numSegments, ...inner], x.dtype);
  const ids = wasm.typedArrayFromHeap(segmentIds);
  const from = wasm.typedArrayFromHeap(x);
  const to = wasm.typedArrayFromHeap(out).fill(0);
  ids.forEach((id: number, row: number) => {
    if (id < 0 || id >= numSegments) return;
    const target = id * width;
    const source = row * width;
    for (let column = 0; column < width; column++) to[target + column]! += from[source + column]!;
  });
  return out;
};
