// UnsortedSegmentSum, the gradient of gather and of embeddings, which tfjs's wasm backend lacks: row i of x is added to row
// segmentIds[i] of the output, in the order of i. Ids outside 0 … numSegments - 1 are dropped.
import { util } from '@tensorflow/tfjs-core';
import { ownModule } from './module.ts';
import type { Attributes, Inputs, OwnKernel } from './own-kernel.ts';

const shapeOf = ({ x, segmentIds }: Inputs, attrs: Attributes): number[] => [
  attrs.numSegments as number,
  ...x!.shape.slice(segmentIds!.shape.length),
];

export const unsortedSegmentSum: OwnKernel = {
  name: 'UnsortedSegmentSum',
  fits: ({ x, segmentIds }) =>
    x?.dtype === 'float32' &&
    segmentIds?.dtype === 'int32' &&
    segmentIds.shape.every((length, axis) => length === x.shape[axis]),
  outputs: (inputs, attrs) => [{ shape: shapeOf(inputs, attrs), dtype: 'float32' }],
  scratchBytes: () => 0,
  bind(inputs, attrs) {
    const [segments, ...inner] = shapeOf(inputs, attrs) as [number, ...number[]];
    const rows = util.sizeFromShape(inputs.segmentIds!.shape);
    const { segmentSum } = ownModule();
    return ({ inputs: at, outputs: [to] }) =>
      segmentSum(rows, util.sizeFromShape(inner), segments, at.x!, at.segmentIds!, to!);
  },
};
