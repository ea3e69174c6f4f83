// Sums over the leading axes: the gradient of a bias. The stock kernel transposes first; the order of the additions is the same.
import { backend_util, util } from '@tensorflow/tfjs-core';
import { ownModule } from './module.ts';
import type { Attributes, Inputs, OwnKernel } from './own-kernel.ts';

/** Number of leading axes that are summed away; 0 where it is no such sum. */
function leading({ x }: Inputs, attrs: Attributes): number {
  const axes = util.parseAxisParam(attrs.axis as number | number[], x!.shape).toSorted((a, b) => a - b);
  return axes.length < x!.shape.length && axes.every((axis, index) => axis === index) ? axes.length : 0;
}

export const sum: OwnKernel = {
  name: 'Sum',
  fits: (inputs, attrs) =>
    inputs.x?.dtype === 'float32' && util.sizeFromShape(inputs.x.shape) > 0 && leading(inputs, attrs) > 0,
  outputs(inputs, attrs) {
    const { shape } = inputs.x!;
    const count = leading(inputs, attrs);
    const kept = shape.slice(count);
    const axes = Array.from({ length: count }, (_, axis) => axis);
    return [
      { shape: attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept, dtype: 'float32' },
    ];
  },
  scratchBytes: () => 0,
  bind(inputs, attrs) {
    const { shape } = inputs.x!;
    const count = leading(inputs, attrs);
    const rows = util.sizeFromShape(shape.slice(0, count));
    const columns = util.sizeFromShape(shape.slice(count));
    const { columnSum } = ownModule();
    return ({ inputs: at, outputs: [to] }) => columnSum(rows, columns, at.x!, to!);
  },
};
