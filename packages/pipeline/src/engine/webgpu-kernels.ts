// What tfjs's WebGPU backend computes wrongly or not at all, put right by its own other kernels, so nothing leaves the GPU.
import {
  type AvgPoolGradAttrs,
  backend_util,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { rowGatherKernel } from '../ops/kernels.ts';

const backendName = 'webgpu';

interface WebgpuBackend {
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): TensorInfo;
  disposeData(dataId: object): void;
}

const kernelOf = (name: string): KernelConfig => {
  const kernel = getKernel(name, backendName);
  if (!kernel) throw new Error(`tfjs's ${backendName} backend has no kernel ${name}`);
  return kernel;
};

function replace(kernelName: string, kernelFunc: KernelFunc): void {
  if (getKernel(kernelName, backendName)) unregisterKernel(kernelName, backendName);
  registerKernel({ kernelName, backendName, kernelFunc });
}

/** Window over the cells of it that lie within the image, [1, rows, columns, 1]: 1 everywhere but at padded borders. */
export function borderFactors(info: backend_util.Conv2DInfo): Float32Array {
  const inside = (at: number, stride: number, before: number, window: number, length: number): number => {
    const start = at * stride - before;
    return Math.min(length, start + window) - Math.max(0, start);
  };
  const { outHeight, outWidth, effectiveFilterHeight: height, effectiveFilterWidth: width } = info;
  return Float32Array.from({ length: outHeight * outWidth }, (_, at) => {
    const row = Math.floor(at / outWidth);
    const rows = inside(row, info.strideHeight, info.padInfo.top, height, info.inHeight);
    const columns = inside(at % outWidth, info.strideWidth, info.padInfo.left, width, info.inWidth);
    return (height * width) / (rows * columns);
  });
}

let done = false;

/** Call it when the backend is known to tfjs; a second call does nothing. */
export function replaceWebgpuKernels(): void {
  if (done) return;
  done = true;
  const gather = kernelOf('GatherV2').kernelFunc;
  replace(rowGatherKernel, ({ inputs, backend }) =>
    gather({
      inputs: { x: inputs.table!, indices: inputs.indices! },
      backend,
      attrs: { axis: 0, batchDims: 0 },
    }),
  );
  // tfjs divides by the whole window, its forward pass by the cells within the image (so does avg-pool-grad.ts for cpu).
  const stock = kernelOf('AvgPoolGrad').kernelFunc;
  const multiply = kernelOf('Multiply').kernelFunc;
  replace('AvgPoolGrad', (call) => {
    const { dy, input } = call.inputs as { dy: TensorInfo; input: TensorInfo };
    const { filterSize, strides, pad } = call.attrs as unknown as AvgPoolGradAttrs;
    const shape = input.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad);
    const factors = borderFactors(info);
    if (factors.every((factor) => factor === 1)) return stock(call);
    const backend = call.backend as WebgpuBackend;
    const b = backend.makeTensorInfo([1, info.outHeight, info.outWidth, 1], 'float32', factors);
    const scaled = multiply({ inputs: { a: dy, b }, backend, attrs: {} }) as TensorInfo;
    const dx = stock({ ...call, inputs: { ...call.inputs, dy: scaled } });
    for (const { dataId } of [b, scaled]) backend.disposeData(dataId);
    return dx;
  });
}
