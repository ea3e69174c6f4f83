// tfjs's plain JavaScript backend: slow, and the reference that the other engines' gradients are tested against.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { replaceAvgPoolGrad } from './avg-pool-grad.ts';
import type { Engine } from './engine.ts';

export const cpu: Engine = {
  name: 'cpu',
  automatic: false,
  async open() {
    replaceAvgPoolGrad();
    await tf.setBackend('cpu');
    // Math.exp, Math.log and their like are V8's own: another Node may round otherwise.
    return {
      backend: 'cpu',
      label: `cpu (tfjs ${tf.version_core})`,
      version: `tfjs ${tf.version_core}`,
      device: 'cpu',
      determinism: 'machine',
    };
  },
};
