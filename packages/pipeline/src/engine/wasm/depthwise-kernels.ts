// The two gradients of a depthwise convolution, which tfjs's wasm backend lacks. Sums run over the images, then the output's rows and
// columns, then a channel's results.
import { backend_util } from '@tensorflow/tfjs-core';
import { ownModule } from './module.ts';
import type { Attributes, Inputs, OwnKernel, Tensor } from './own-kernel.ts';

type Info = backend_util.Conv2DInfo;
type Size4 = [number, number, number, number];

const infoOf = (x: number[], filter: number[], attrs: Attributes): Info =>
  backend_util.computeConv2DInfo(
    x as Size4,
    filter as Size4,
    attrs.strides as [number, number] | number,
    (attrs.dilations ?? 1) as [number, number] | number,
    attrs.pad as 'valid' | 'same' | number,
    attrs.dimRoundingMode as 'floor' | 'round' | 'ceil' | undefined,
    true,
  );

const sizes = (info: Info): number[] => [
  info.batchSize,
  info.inHeight,
  info.inWidth,
  info.inChannels,
  info.filterHeight,
  info.filterWidth,
  info.strideHeight,
  info.strideWidth,
  info.dilationHeight,
  info.dilationWidth,
  info.padInfo.top,
  info.padInfo.left,
  info.outHeight,
  info.outWidth,
  info.outChannels / info.inChannels,
];

const isImages = (tensor: Tensor | undefined): boolean =>
  tensor?.dtype === 'float32' && tensor.shape.length === 4;

const ofFilter = ({ x }: Inputs, attrs: Attributes): Info =>
  infoOf(x!.shape, attrs.filterShape as number[], attrs);
const ofInput = ({ filter }: Inputs, attrs: Attributes): Info =>
  infoOf(attrs.inputShape as number[], filter!.shape, attrs);

export const depthwiseBackpropFilter: OwnKernel = {
  name: 'DepthwiseConv2dNativeBackpropFilter',
  fits: ({ x, dy }) => isImages(x) && isImages(dy),
  outputs: (_inputs, attrs) => [{ shape: attrs.filterShape as number[], dtype: 'float32' }],
  scratchBytes: () => 0,
  bind(inputs, attrs) {
    const given = sizes(ofFilter(inputs, attrs));
    const { depthwiseGradient } = ownModule();
    return ({ inputs: at, outputs: [to] }) => depthwiseGradient(0, ...given, at.x!, at.dy!, to!);
  },
};

export const depthwiseBackpropInput: OwnKernel = {
  name: 'DepthwiseConv2dNativeBackpropInput',
  fits: ({ dy, filter }) => isImages(dy) && isImages(filter),
  outputs: (_inputs, attrs) => [{ shape: attrs.inputShape as number[], dtype: 'float32' }],
  scratchBytes: () => 0,
  bind(inputs, attrs) {
    const given = sizes(ofInput(inputs, attrs));
    const { depthwiseGradient } = ownModule();
    return ({ inputs: at, outputs: [to] }) => depthwiseGradient(1, ...given, at.filter!, at.dy!, to!);
  },
};
