// TensorFlow's own kernels on the CPU, under tfjs-node: the quickest engine without a GPU. Its bits hold on one machine
// with one count of threads; another CPU may give others, since oneDNN picks its code by CPU.
import { cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { backendName, loadTensorflow } from './tensorflow/binding.ts';
import { tellSettings } from './tensorflow/settings.ts';

export const tfjsNode: Engine = {
  name: 'tfjs-node',
  // Only where a folder is given on purpose, by the worker or by a person: else CI and the demo would differ by machine.
  get automatic() {
    return Boolean(process.env.RETRAIN_TFJS_NODE);
  },
  async open() {
    const loaded = loadTensorflow('cpu', { hideGpu: true });
    if ('unavailable' in loaded) return loaded;
    if (loaded.usesGpu) return { unavailable: 'this process has already opened TensorFlow on the GPU' };
    await tf.setBackend(backendName);
    const version = `TensorFlow ${loaded.binding.TF_Version}`;
    const library = `${version} sha256 ${loaded.folder.manifest.sha256.slice(0, 12)}`;
    const cpu = cpus()[0]?.model.trim() || 'unknown CPU';
    return {
      backend: backendName,
      label: `tfjs-node (tfjs ${tf.version_core}, ${library}, ${tellSettings(loaded.settings)}, ${cpu})`,
      version,
      device: 'cpu',
      determinism: 'machine',
    };
  },
};
