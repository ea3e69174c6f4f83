// tfjs's plain JavaScript gradient of average pooling divides by the whole window, where its forward pass divides by the cells
// that lie within the image: a wrong gradient at every padded border. TensorFlow's own is right, and so is this one.
import {
  type AvgPoolGradAttrs,
  type AvgPoolGradInputs,
  backend_util,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

interface CpuBackend {
  data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
}

/** Gradient of the input of an average pooling, NHWC, from dy, that of its output. */
export function avgPoolGradient(dy: Float32Array, info: backend_util.Conv2DInfo): Float32Array {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels: channels } = info;
  const dx = new Float32Array(batchSize * inHeight * inWidth * channels);
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * info.strideHeight - info.padInfo.top;
      const rows = [Math.max(0, top), Math.min(inHeight, top + info.effectiveFilterHeight)] as const;
      for (let column = 0; column < outWidth; column++) {
        const left = column * info.strideWidth - info.padInfo.left;
        const columns = [Math.max(0, left), Math.min(inWidth, left + info.effectiveFilterWidth)] as const;
        const cells = (rows[1] - rows[0]) * (columns[1] - columns[0]);
        const from = ((image * outHeight + row) * outWidth + column) * channels;
        for (let y = rows[0]; y < rows[1]; y++) {
          for (let x = columns[0]; x < columns[1]; x++) {
            const to = ((image * inHeight + y) * inWidth + x) * channels;
            for (let c = 0; c < channels; c++) dx[to + c]! += dy[from + c]! / cells;
          }
        }
      }
    }
  }
  return dx;
}

const kernel: KernelConfig = {
  kernelName: 'AvgPoolGrad',
  backendName: 'cpu',
  kernelFunc({ inputs, attrs, backend }) {
    const { dy, input } = inputs as Record<keyof AvgPoolGradInputs, TensorInfo>;
    const { filterSize, strides, pad } = attrs as unknown as AvgPoolGradAttrs;
    const shape = input.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad);
    const cpu = backend as CpuBackend;
    const dx = avgPoolGradient(cpu.data.get(dy.dataId).values, info);
    return cpu.makeTensorInfo(input.shape, 'float32', dx);
  },
};

let replaced = false;

/** Replaces the cpu backend's kernel; a second call does nothing. */
export function replaceAvgPoolGrad(): void {
  if (replaced) return;
  replaced = true;
  unregisterKernel('AvgPoolGrad', 'cpu');
  registerKernel(kernel);
}
