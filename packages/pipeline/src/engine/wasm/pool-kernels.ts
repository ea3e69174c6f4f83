// Max pooling, and the gradients of max and average pooling. The stock gradient is a scalar loop that forgets every window whose largest is not
// positive (it begins at the smallest positive float) and takes the last of equal pixels where TensorFlow takes the first.
import { backend_util } from '@tensorflow/tfjs-core';
import { ownModule } from './module.ts';
import type { Attributes, OwnKernel, Tensor } from './own-kernel.ts';

type Size4 = [number, number, number, number];

const infoOf = ({ shape }: Tensor, attrs: Attributes): backend_util.Conv2DInfo =>
  backend_util.computePool2DInfo(
    shape as Size4,
    attrs.filterSize as [number, number] | number,
    attrs.strides as [number, number] | number,
    1,
    attrs.pad as 'valid' | 'same' | number,
    attrs.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
  );

const sizes = (info: backend_util.Conv2DInfo): number[] => [
  info.batchSize,
  info.inHeight,
  info.inWidth,
  info.inChannels,
  info.filterHeight,
  info.filterWidth,
  info.strideHeight,
  info.strideWidth,
  info.padInfo.top,
  info.padInfo.left,
  info.outHeight,
  info.outWidth,
];

/** Images of floats, and every window holds a pixel (a padding as wide as the window would leave some empty). */
const pools = (x: Tensor | undefined, attrs: Attributes): boolean => {
  if (x?.dtype !== 'float32' || x.shape.length !== 4) return false;
  const info = infoOf(x, attrs);
  const { top, left } = info.padInfo;
  return (
    [...info.inShape, ...info.outShape].every((length) => length > 0) &&
    top < info.filterHeight &&
    left < info.filterWidth &&
    (info.outHeight - 1) * info.strideHeight - top < info.inHeight &&
    (info.outWidth - 1) * info.strideWidth - left < info.inWidth
  );
};

export const maxPool: OwnKernel = {
  name: 'MaxPool',
  fits: ({ x }, attrs) => pools(x, attrs),
  outputs: ({ x }, attrs) => [{ shape: infoOf(x!, attrs).outShape, dtype: 'float32' }],
  scratchBytes: () => 0,
  bind({ x }, attrs) {
    const given = sizes(infoOf(x!, attrs));
    const own = ownModule();
    return ({ inputs: at, outputs: [to] }) => own.maxPool(...given, at.x!, to!);
  },
};

export const maxPoolGrad: OwnKernel = {
  name: 'MaxPoolGrad',
  fits: ({ input, output, dy }, attrs) =>
    pools(input, attrs) && output?.dtype === 'float32' && dy?.dtype === 'float32',
  outputs: ({ input }) => [{ shape: input!.shape, dtype: 'float32' }],
  scratchBytes: () => 0,
  bind({ input }, attrs) {
    const given = sizes(infoOf(input!, attrs));
    const { maxPoolGradient } = ownModule();
    return ({ inputs: at, outputs: [to] }) => maxPoolGradient(...given, at.input!, at.output!, at.dy!, to!);
  },
};

export const avgPoolGrad: OwnKernel = {
  name: 'AvgPoolGrad',
  fits: ({ input, dy }, attrs) => pools(input, attrs) && dy?.dtype === 'float32',
  outputs: ({ input }) => [{ shape: input!.shape, dtype: 'float32' }],
  scratchBytes: () => 0,
  bind({ input }, attrs) {
    const given = sizes(infoOf(input!, attrs));
    const { avgPoolGradient } = ownModule();
    return ({ inputs: at, outputs: [to] }) => avgPoolGradient(...given, at.dy!, to!);
  },
};
