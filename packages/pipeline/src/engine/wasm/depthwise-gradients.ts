// The two gradients of a depthwise convolution, which tfjs's wasm backend lacks. Sums run in single precision, in the order
// of the image, then of the output's rows and columns.
import { backend_util, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmBackend } from './backend.ts';

type Size4 = [number, number, number, number];

interface DepthwiseAttributes {
  strides: [number, number] | number;
  dilations: [number, number] | number;
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Calls `visit` with the offsets of input pixel, output pixel and filter tap, wherever the three meet. */
function meetings(
  info: backend_util.Conv2DInfo,
  visit: (input: number, output: number, tap: number) => void,
): void {
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  for (let image = 0; image < info.batchSize; image++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const output = (image * outHeight + outRow) * outWidth + outColumn;
        for (let tapRow = 0; tapRow < filterHeight; tapRow++) {
          const row = outRow * info.strideHeight + tapRow * info.dilationHeight - padInfo.top;
          if (row < 0 || row >= inHeight) continue;
          for (let tapColumn = 0; tapColumn < filterWidth; tapColumn++) {
            const column = outColumn * info.strideWidth + tapColumn * info.dilationWidth - padInfo.left;
            if (column < 0 || column >= inWidth) continue;
            visit((image * inHeight + row) * inWidth + column, output, tapRow * filterWidth + tapColumn);
          }
        }
      }
    }
  }
}

const sizes = (x: number[], filter: number[], attrs: DepthwiseAttributes): backend_util.Conv2DInfo =>
  backend_util.computeConv2DInfo(
    x as Size4,
    filter as Size4,
    attrs.strides,
    attrs.dilations,
    attrs.pad,
    attrs.dimRoundingMode,
    true,
  );

export const depthwiseBackpropFilter: KernelFunc = ({ inputs, attrs, backend }) => {
  const wasm = backend as WasmBackend;
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const given = attrs as unknown as DepthwiseAttributes & { filterShape: number[] };
  const info = sizes(x.shape, given.filterShape, given);
  const out = wasm.makeOutput(info.filterShape, 'float32');
  const to = wasm.typedArrayFromHeap(out).fill(0);
  const values = wasm.typedArrayFromHeap(x);
  const slopes = wasm.typedArrayFromHeap(dy);
  const { inChannels, outChannels } = info;
  const each = outChannels / inChannels;
  meetings(info, (input, output, tap) => {
    for (let channel = 0; channel < inChannels; channel++) {
      const value = values[input * inChannels + channel]!;
      for (let copy = channel * each; copy < (channel + 1) * each; copy++) {
        to[tap * outChannels + copy]! += Math.fround(value * slopes[output * outChannels + copy]!);
      }
    }
  });
  return out;
};

export const depthwiseBackpropInput: KernelFunc = ({ inputs, attrs, backend }) => {
  const wasm = backend as WasmBackend;
  const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
  const given = attrs as unknown as DepthwiseAttributes & { inputShape: number[] };
  const info = sizes(given.inputShape, filter.shape, given);
  const out = wasm.makeOutput(info.inShape, 'float32');
  const to = wasm.typedArrayFromHeap(out).fill(0);
  const slopes = wasm.typedArrayFromHeap(dy);
  const weights = wasm.typedArrayFromHeap(filter);
  const { inChannels, outChannels } = info;
  const each = outChannels / inChannels;
  meetings(info, (input, output, tap) => {
    for (let channel = 0; channel < inChannels; channel++) {
      for (let copy = channel * each; copy < (channel + 1) * each; copy++) {
        to[input * inChannels + channel]! += Math.fround(
          slopes[output * outChannels + copy]! * weights[tap * outChannels + copy]!,
        );
      }
    }
  });
  return out;
};
