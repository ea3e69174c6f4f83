// Makes tfjs's wasm backend fit to train with: adds the kernels that it lacks and replaces those that are wrong or slow.
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { bridged, bridgeTheRest } from './bridge.ts';
import { registerOwnKernels } from './own-kernels.ts';
import { unsortedSegmentSum } from './segment-sum.ts';

/** Stock kernels whose results are wrong (kernels.test.ts): those of the cpu backend are taken. */
const wrong = ['Conv3DBackpropInputV2'];

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
  for (const kernelName of wrong) {
    unregisterKernel(kernelName, 'wasm');
    const kernelFunc = bridged(getKernel(kernelName, 'cpu')!.kernelFunc);
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'wasm',
    kernelFunc: unsortedSegmentSum,
  });
  mendAvgPool();
  registerOwnKernels();
  bridgeTheRest();
}
