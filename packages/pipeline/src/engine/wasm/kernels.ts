// Makes tfjs's wasm backend fit to train with: adds the kernels that it lacks and replaces those that are wrong or slow.
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { registerOperations } from '../../ops/kernels.ts';
import { bridged, bridgeTheRest } from './bridge.ts';
import { registerOwnKernels } from './own-kernels.ts';

/** Stock Conv3DBackpropInputV2 answers wrong values (kernels.test.ts). */
function mendConv3D(): void {
  const kernelName = 'Conv3DBackpropInputV2';
  unregisterKernel(kernelName, 'wasm');
  const kernelFunc = bridged(getKernel(kernelName, 'cpu')!.kernelFunc);
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
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
  mendConv3D();
  mendAvgPool();
  // Before our own come, so that each has something to fall back on.
  bridgeTheRest();
  registerOperations();
  registerOwnKernels();
}
