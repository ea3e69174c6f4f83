// Makes tfjs's wasm backend fit to train with: adds the kernels that it lacks and replaces those that are slow.
import { getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { replaceAvgPoolGrad } from '../avg-pool-grad.ts';
import { bridged, bridgeTheRest } from './bridge.ts';
import { conv2DBackpropFilter } from './conv-filter-gradient.ts';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise-gradients.ts';
import { replaceMatMul } from './matmul.ts';
import { unsortedSegmentSum } from './segment-sum.ts';

const added = {
  Conv2DBackpropFilter: conv2DBackpropFilter,
  DepthwiseConv2dNativeBackpropFilter: depthwiseBackpropFilter,
  DepthwiseConv2dNativeBackpropInput: depthwiseBackpropInput,
  UnsortedSegmentSum: unsortedSegmentSum,
};

/** Stock kernels whose results are wrong (kernels.test.ts): those of the cpu backend are taken. */
const wrong = ['AvgPoolGrad', 'MaxPoolGrad', 'Conv3DBackpropInputV2'];

let done = false;

/** Call it before the backend is initialised; a second call does nothing. */
export function completeKernels(): void {
  if (done) return;
  done = true;
  replaceMatMul();
  replaceAvgPoolGrad();
  for (const [kernelName, kernelFunc] of Object.entries(added)) {
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  for (const kernelName of wrong) {
    unregisterKernel(kernelName, 'wasm');
    const kernelFunc = bridged(getKernel(kernelName, 'cpu')!.kernelFunc);
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  bridgeTheRest();
}
