// The table of own kernels, and how the eager engine uses it: each as an ordinary tfjs kernel, the stock one where it does not fit.
import {
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import type { WasmBackend } from './backend.ts';
import { conv2D, conv2DBackpropFilter, conv2DBackpropInput, fusedConv2D } from './conv-kernels.ts';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise-kernels.ts';
import { dropoutMask } from './dropout-kernel.ts';
import { openModule } from './module.ts';
import type { Attributes, Inputs, OwnKernel } from './own-kernel.ts';
import { avgPoolGrad, maxPool, maxPoolGrad } from './pool-kernels.ts';
import { batchMatMul, fusedMatMul } from './product-kernels.ts';
import { unsortedSegmentSum } from './segment-sum-kernel.ts';
import { sum } from './sum-kernel.ts';

export const ownKernels: readonly OwnKernel[] = [
  batchMatMul,
  fusedMatMul,
  sum,
  conv2D,
  fusedConv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  maxPool,
  maxPoolGrad,
  avgPoolGrad,
  unsortedSegmentSum,
  dropoutMask,
];

/** A packed panel in step with the cache's lines is quicker, and malloc promises 8 bytes only. */
const line = 64;

/** The own kernel as tfjs calls it; `stock` runs where it does not fit. */
export function kernelFuncOf(own: OwnKernel, stock: KernelFunc): KernelFunc {
  return (args) => {
    const given = Object.entries(args.inputs).filter(([, tensor]) => tensor !== undefined && tensor !== null);
    const inputs = Object.fromEntries(given) as Inputs;
    const attrs = (args.attrs ?? {}) as Attributes;
    if (!own.fits(inputs, attrs)) return stock(args);
    const backend = args.backend as WasmBackend;
    openModule(backend);
    const address = (tensor: TensorInfo): number => backend.dataIdMap.get(tensor.dataId).memoryOffset;
    const call = own.bind(inputs, attrs);
    const results = own.outputs(inputs, attrs).map(({ shape, dtype }) => backend.makeOutput(shape, dtype));
    const bytes = own.scratchBytes(inputs, attrs);
    const scratch = bytes > 0 ? backend.wasm._malloc(bytes + line) >>> 0 : 0;
    call({
      inputs: Object.fromEntries(given.map(([name, tensor]) => [name, address(tensor as TensorInfo)])),
      outputs: results.map(address),
      scratch: Math.ceil(scratch / line) * line,
    });
    if (bytes > 0) backend.wasm._free(scratch);
    return results.length === 1 ? results[0]! : results;
  };
}

/** Registers the table. Before the backend is initialised: the other kernel's setupFunc is handed on. */
export function registerOwnKernels(): void {
  for (const own of ownKernels) {
    const stock = getKernel(own.name, 'wasm');
    if (!stock) throw new Error(`tfjs's wasm backend has no ${own.name}, nor a bridge to one`);
    unregisterKernel(own.name, 'wasm');
    registerKernel({ ...stock, kernelFunc: kernelFuncOf(own, stock.kernelFunc) });
  }
}
