// The mask of seeded dropout (src/ops): the numbers of the plain code, made on the heap.
import { util } from '@tensorflow/tfjs-core';
import type { DropoutMask } from '../../ops/host.ts';
import { dropoutMask as kernelName } from '../../ops/kernels.ts';
import { ownModule } from './module.ts';
import type { OwnKernel } from './own-kernel.ts';

export const dropoutMask: OwnKernel = {
  name: kernelName,
  fits: ({ counter }) => counter?.dtype === 'int32',
  outputs: (_, attrs) => [{ shape: attrs.shape as number[], dtype: 'float32' }],
  scratchBytes: () => 16,
  bind(_, attrs) {
    const { shape, rate, seed } = attrs as unknown as DropoutMask;
    const count = util.sizeFromShape(shape);
    // Whole numbers are compared: none lies between a threshold and the next whole one.
    const threshold = Math.ceil(Math.fround(rate) * 0x800000);
    const { dropoutMask: fill } = ownModule();
    return ({ inputs, outputs, scratch }) =>
      fill(count, seed, threshold, 1 / (1 - rate), inputs.counter!, outputs[0]!, scratch);
  },
};
