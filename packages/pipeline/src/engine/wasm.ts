// tfjs's WebAssembly backend with SIMD, one thread: the same seed gives the same bits on every machine that was tried, on
// Node 20, 22 and 24 (threads would gain nothing: one process a core).
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { completeKernels } from './wasm/kernels.ts';

export const wasm: Engine = {
  name: 'wasm',
  automatic: true,
  async open() {
    // Without SIMD another binary is loaded, whose sums are in another order: other bits, so it counts as another engine.
    if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')))
      return { unavailable: 'no WebAssembly SIMD here' };
    completeKernels();
    const forget = newListeners(['uncaughtException', 'unhandledRejection']);
    const opened = await tf.setBackend('wasm');
    forget();
    if (!opened) return { unavailable: 'the WebAssembly module does not load' };
    return {
      backend: 'wasm',
      label: `wasm (tfjs ${tf.version_core}, simd, 1 thread)`,
      version: `tfjs ${tf.version_core}`,
      device: 'cpu',
      determinism: 'everywhere',
    };
  },
};

/**
 * Emscripten's start-up code throws every unhandled rejection anew from its one line of 60 kB, which Node then prints above a
 * recipe's own error. Answers a function that takes away the listeners which were added since.
 */
function newListeners(events: string[]): () => void {
  const before = new Map(events.map((event) => [event, process.rawListeners(event)]));
  return () => {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!before.get(event)!.includes(listener)) process.removeListener(event, listener as () => void);
      }
    }
  };
}
