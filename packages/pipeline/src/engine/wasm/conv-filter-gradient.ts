// Conv2DBackpropFilter, which tfjs's wasm backend lacks: the input's patches as a matrix, transposed, times the output's
// gradient, one image at a time so that memory stays small. Sums begin at 0 and run over images, rows and columns in order.
import { backend_util, getKernel, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmBackend } from './backend.ts';

type Size4 = [number, number, number, number];

/** Writes the patches of one image as the columns of [taps × channels, output pixels]. */
function patches(values: Float32Array, image: number, to: Float32Array, info: backend_util.Conv2DInfo): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const pixels = outHeight * outWidth;
  to.fill(0);
  for (let tapRow = 0; tapRow < filterHeight; tapRow++) {
    for (let tapColumn = 0; tapColumn < filterWidth; tapColumn++) {
      const first = (tapRow * filterWidth + tapColumn) * inChannels * pixels;
      for (let outRow = 0; outRow < outHeight; outRow++) {
        const row = outRow * info.strideHeight + tapRow - padInfo.top;
        if (row < 0 || row >= inHeight) continue;
        for (let outColumn = 0; outColumn < outWidth; outColumn++) {
          const column = outColumn * info.strideWidth + tapColumn - padInfo.left;
          if (column < 0 || column >= inWidth) continue;
          const source = ((image * inHeight + row) * inWidth + column) * inChannels;
          const target = first + outRow * outWidth + outColumn;
          for (let channel = 0; channel < inChannels; channel++) {
            to[target + channel * pixels] = values[source + channel]!;
          }
        }
      }
    }
  }
}

export const conv2DBackpropFilter: KernelFunc = ({ inputs, attrs, backend }) => {
  const wasm = backend as WasmBackend;
  const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
  const { filterShape, strides, pad, dimRoundingMode, dataFormat } = attrs as unknown as {
    filterShape: Size4;
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    dataFormat: 'NHWC' | 'NCHW';
  };
  if (dataFormat !== 'NHWC') throw new Error('the wasm engine convolves NHWC only');
  const info = backend_util.computeConv2DInfo(
    x.shape as Size4,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const pixels = info.outHeight * info.outWidth;
  const taps = info.filterHeight * info.filterWidth * info.inChannels;
  const out = wasm.makeOutput(info.filterShape, 'float32');
  const column = wasm.makeOutput([1, taps, pixels], 'float32');
  const product = getKernel('BatchMatMul', 'wasm')!.kernelFunc;
  wasm.typedArrayFromHeap(out).fill(0);
  for (let image = 0; image < info.batchSize; image++) {
    // A tensor of its own an image: XNNPACK keeps what it packed under the second factor's id.
    const slope = wasm.makeOutput([1, pixels, info.outChannels], 'float32');
    const size = pixels * info.outChannels;
    const from = wasm.typedArrayFromHeap(dy).subarray(image * size, (image + 1) * size);
    wasm.typedArrayFromHeap(slope).set(from);
    patches(
      wasm.typedArrayFromHeap(x) as Float32Array,
      image,
      wasm.typedArrayFromHeap(column) as Float32Array,
      info,
    );
    const part = product({
      inputs: { a: column, b: slope },
      backend,
      attrs: { transposeA: false, transposeB: false },
    }) as TensorInfo;
    const sum = wasm.typedArrayFromHeap(out);
    wasm.typedArrayFromHeap(part).forEach((value: number, at: number) => {
      sum[at]! += value;
    });
    wasm.disposeData(part.dataId);
    wasm.disposeData(slope.dataId);
  }
  wasm.disposeData(column.dataId);
  return out;
};
