// TensorFlow's CUDA library under tfjs-node's binding. Never yet run on a CUDA device: the label says so until it has been.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { backendName, loadTensorflow } from './tensorflow/binding.ts';
import { tellSettings } from './tensorflow/settings.ts';

const driver = '/proc/driver/nvidia/gpus';

/** The first GPU's name as NVIDIA's driver tells it; the binding does not tell which one it took. */
function gpuName(): string {
  try {
    const [first] = readdirSync(driver).sort();
    const text = readFileSync(join(driver, first!, 'information'), 'utf8');
    return /^Model:\s*(.+)$/m.exec(text)![1]!.trim();
  } catch {
    return 'a CUDA device';
  }
}

export const tfjsNodeGpu: Engine = {
  name: 'tfjs-node-gpu',
  get automatic() {
    return Boolean(process.env.RETRAIN_TFJS_NODE);
  },
  async open() {
    const loaded = loadTensorflow('cuda', { hideGpu: false });
    if ('unavailable' in loaded) return loaded;
    if (!loaded.usesGpu) return { unavailable: 'TensorFlow finds no CUDA device here' };
    await tf.setBackend(backendName);
    const version = `TensorFlow ${loaded.binding.TF_Version}`;
    const library = `${version} sha256 ${loaded.folder.manifest.sha256.slice(0, 12)}`;
    const device = gpuName();
    return {
      backend: backendName,
      label: `tfjs-node-gpu (tfjs ${tf.version_core}, ${library}, ${tellSettings(loaded.settings)}, ${device}, never yet run on a CUDA device)`,
      version,
      device,
      determinism: 'device',
    };
  },
};
