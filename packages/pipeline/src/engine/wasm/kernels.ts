// Makes tfjs's wasm backend fit to train with: adds the kernels that it lacks and replaces those that are wrong or slow.
import { getKernel, type KernelFunc, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { bridged, bridgeTheRest } from './bridge.ts';
import { registerOwnKernels } from './own-kernels.ts';
import { unsortedSegmentSum } from './segment-sum.ts';

const register = (kernelName: string, kernelFunc: KernelFunc): void =>
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc });

function replace(kernelName: string, kernelFunc: KernelFunc): void {
  unregisterKernel(kernelName, 'wasm');
  register(kernelName, kernelFunc);
}

/** Stock AvgPool leaves its memory where padding is given as a number. */
function mendAvgPool(): void {
  const stock = getKernel('AvgPool', 'wasm')!;
  const elsewhere = bridged(getKernel('AvgPool', 'cpu')!.kernelFunc);
  unregisterKernel('AvgPool', 'wasm');
  registerKernel({
    ...stock,
    kernelFunc: (args) => (typeof args.attrs!.pad === 'string' ? stock.kernelFunc(args) : elsewhere(args)),
  });
}

let done = false;

/** Call it before the backend is initialised; a second call does nothing. */
export function completeKernels(): void {
  if (done) return;
  done = true;
  // Its results are wrong (kernels.test.ts).
  replace('Conv3DBackpropInputV2', bridged(getKernel('Conv3DBackpropInputV2', 'cpu')!.kernelFunc));
  register('UnsortedSegmentSum', unsortedSegmentSum);
  mendAvgPool();
  registerOwnKernels();
  bridgeTheRest();
}
