// tfjs's WebAssembly backend with SIMD, one thread: the same seed gives the same bits on every machine that was tried, on
// Node 20, 22 and 24 (threads would gain nothing: one process a core).
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { replaceMatMul } from './wasm-matmul.ts';

export const wasm: Engine = {
  name: 'wasm',
  automatic: true,
  async open() {
    // Without SIMD another binary is loaded, whose sums are in another order: other bits, so it counts as another engine.
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')))
      return { unavailable: 'no WebAssembly SIMD here' };
    replaceMatMul();
    if (!(await tf.setBackend('wasm'))) return { unavailable: 'the WebAssembly module does not load' };
    return { backend: 'wasm', label: `wasm (tfjs ${tf.version_core}, simd, 1 thread)` };
  },
};
