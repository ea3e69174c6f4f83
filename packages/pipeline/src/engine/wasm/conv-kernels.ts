// Convolution and its two gradients, image by image on the image itself (packages/pipeline/wasm/conv.ts). Sums run over the
// filter's rows, columns and channels in order, from the bias or 0: XNNPACK's bits forward, those of tfjs's loop backward.
// Stock: no filter gradient at all, a scalar loop for the input's, wrong results for a stride larger than the filter with 'same' padding
// and a crash for padding given as a number.
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
  );

/** An image with its padding: how large, and whether it differs from the image at all. */
interface Padded {
  rows: number;
  columns: number;
  top: number;
  left: number;
  copied: boolean;
}

/** The input as forward pass and filter gradient read it. */
function paddedInput(info: Info): Padded {
  const { top, left } = info.padInfo;
  const rows = Math.max(info.inHeight + top, (info.outHeight - 1) * info.strideHeight + info.filterHeight);
  const columns = Math.max(info.inWidth + left, (info.outWidth - 1) * info.strideWidth + info.filterWidth);
  return { rows, columns, top, left, copied: rows !== info.inHeight || columns !== info.inWidth };
}

/** How much of the output's gradient, along one axis, lies before and after what there is of it. */
function reach(length: number, filter: number, stride: number, padding: number, output: number) {
  const before = filter - 1 - padding;
  const first = Math.max(0, Math.floor(before / stride));
  let last = output - 1;
  for (let phase = 0; phase < stride; phase++) {
    const tap = (((before - phase) % stride) + stride) % stride;
    const taps = Math.ceil((filter - tap) / stride);
    const pixels = Math.ceil((length - phase) / stride);
    if (taps > 0 && pixels > 0)
      last = Math.max(last, (tap + phase - before) / stride + pixels - 1 + taps - 1);
  }
  return { first, length: first + last + 1 };
}

/** The output's gradient as the input gradient reads it. */
function paddedSlope(info: Info): Padded {
  const { top, left } = info.padInfo;
  const down = reach(info.inHeight, info.filterHeight, info.strideHeight, top, info.outHeight);
  const across = reach(info.inWidth, info.filterWidth, info.strideWidth, left, info.outWidth);
  return {
    rows: down.length,
    columns: across.length,
    top: down.first,
    left: across.first,
    copied: down.length !== info.outHeight || across.length !== info.outWidth,
  };
}

/** Scratch memory: 160 bytes for edges, the packed panels, one padded image. */
interface Layout {
  panels: number;
  image: number;
}

const bytesOf = ({ panels, image }: Layout): number => 160 + panels + image;
const imageBytes = ({ rows, columns, copied }: Padded, channels: number): number =>
  copied ? 4 * rows * columns * channels : 0;
const addressesIn = (scratch: number, { panels, image }: Layout): number[] => [
  scratch,
  scratch + 160,
  image > 0 ? scratch + 160 + panels : 0,
];

const taps = ({ filterHeight, filterWidth }: Info): number => filterHeight * filterWidth;

function forwardLayout(info: Info): Layout {
  const panels = 32 * taps(info) * info.inChannels * Math.ceil(info.outChannels / 8);
  return { panels, image: imageBytes(paddedInput(info), info.inChannels) };
}

function filterLayout(info: Info): Layout {
  const rows = Math.min(info.outHeight, Math.max(1, Math.floor(384 / info.outWidth)));
  const panels = 32 * rows * info.outWidth * Math.ceil(info.outChannels / 8);
  return { panels, image: imageBytes(paddedInput(info), info.inChannels) };
}

function inputLayout(info: Info): Layout {
  const panels = 32 * taps(info) * info.outChannels * Math.ceil(info.inChannels / 8);
  return { panels, image: imageBytes(paddedSlope(info), info.outChannels) };
}

/** Arguments that all three functions begin with. */
const sizes = (info: Info, padded: Padded): number[] => [
  info.batchSize,
  info.inHeight,
  info.inWidth,
  info.inChannels,
  padded.rows,
  padded.columns,
  padded.top,
  padded.left,
  info.filterHeight,
  info.filterWidth,
  info.strideHeight,
  info.strideWidth,
  info.outHeight,
  info.outWidth,
  info.outChannels,
];

const one = (value: unknown): boolean => [value ?? 1].flat().every((each) => each === 1);

/** Images, channels last, of floats; every length at least 1. */
const convolves = (tensors: (Tensor | undefined)[], attrs: Attributes, info: () => Info): boolean => {
  if (!tensors.every((tensor) => tensor?.dtype === 'float32' && tensor.shape.length === 4)) return false;
  if ((attrs.dataFormat ?? 'NHWC') !== 'NHWC' || !one(attrs.dilations)) return false;
  const { inShape, outShape, filterShape } = info();
  return [...inShape, ...outShape, ...filterShape].every((length) => length > 0);
};

const forward = ({ x, filter }: Inputs, attrs: Attributes): Info => infoOf(x!.shape, filter!.shape, attrs);
const ofFilter = ({ x }: Inputs, attrs: Attributes): Info =>
  infoOf(x!.shape, attrs.filterShape as number[], attrs);
const ofInput = ({ filter }: Inputs, attrs: Attributes): Info =>
  infoOf(attrs.inputShape as number[], filter!.shape, attrs);

export const conv2D: OwnKernel = {
  name: 'Conv2D',
  fits: (inputs, attrs) => convolves([inputs.x, inputs.filter], attrs, () => forward(inputs, attrs)),
  outputs: (inputs, attrs) => [{ shape: forward(inputs, attrs).outShape, dtype: 'float32' }],
  scratchBytes: (inputs, attrs) => bytesOf(forwardLayout(forward(inputs, attrs))),
  bind(inputs, attrs) {
    const info = forward(inputs, attrs);
    const layout = forwardLayout(info);
    const given = sizes(info, paddedInput(info));
    const { conv2d, relu } = ownModule();
    const results = info.outShape.reduce((product, length) => product * length, 1);
    const rectified = attrs.activation === 'relu';
    return ({ inputs: at, outputs: [to], scratch }) => {
      conv2d(...given, at.x!, at.filter!, at.bias ?? 0, to!, ...addressesIn(scratch, layout));
      if (rectified) relu(results, to!);
    };
  },
};

export const fusedConv2D: OwnKernel = {
  ...conv2D,
  name: 'FusedConv2D',
  fits(inputs, attrs) {
    if (!conv2D.fits(inputs, attrs) || inputs.preluActivationWeights) return false;
    if (attrs.activation !== 'linear' && attrs.activation !== 'relu') return false;
    const { bias, filter } = inputs;
    return (
      !bias || (bias.dtype === 'float32' && bias.shape.length === 1 && bias.shape[0] === filter!.shape[3])
    );
  },
};

export const conv2DBackpropFilter: OwnKernel = {
  name: 'Conv2DBackpropFilter',
  fits: (inputs, attrs) => convolves([inputs.x, inputs.dy], attrs, () => ofFilter(inputs, attrs)),
  outputs: (_inputs, attrs) => [{ shape: attrs.filterShape as number[], dtype: 'float32' }],
  scratchBytes: (inputs, attrs) => bytesOf(filterLayout(ofFilter(inputs, attrs))),
  bind(inputs, attrs) {
    const info = ofFilter(inputs, attrs);
    const layout = filterLayout(info);
    const given = sizes(info, paddedInput(info));
    const { conv2dFilterGradient } = ownModule();
    return ({ inputs: at, outputs: [to], scratch }) =>
      conv2dFilterGradient(...given, at.x!, at.dy!, to!, ...addressesIn(scratch, layout));
  },
};

export const conv2DBackpropInput: OwnKernel = {
  name: 'Conv2DBackpropInput',
  fits: (inputs, attrs) => convolves([inputs.dy, inputs.filter], attrs, () => ofInput(inputs, attrs)),
  outputs: (_inputs, attrs) => [{ shape: attrs.inputShape as number[], dtype: 'float32' }],
  scratchBytes: (inputs, attrs) => bytesOf(inputLayout(ofInput(inputs, attrs))),
  bind(inputs, attrs) {
    const info = ofInput(inputs, attrs);
    const layout = inputLayout(info);
    const given = sizes(info, paddedSlope(info));
    const { top, left } = info.padInfo;
    const { conv2dInputGradient } = ownModule();
    return ({ inputs: at, outputs: [to], scratch }) =>
      conv2dInputGradient(...given, top, left, at.dy!, at.filter!, to!, ...addressesIn(scratch, layout));
  },
};
