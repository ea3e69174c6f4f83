// tfjs's WebGPU backend on Dawn: any GPU with a Vulkan driver. npm's `webgpu` carries Dawn for five platforms, 132 MB, so it
// is no dependency: $RETRAIN_WEBGPU names its dawn.node, or a folder that has it (infra/gpu/README.md).
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from './engine.ts';
import { replaceWebgpuKernels } from './webgpu-kernels.ts';

interface AdapterInfo {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  isFallbackAdapter?: boolean;
}

interface Adapter {
  info: AdapterInfo;
  isFallbackAdapter?: boolean;
}

/** As much of dawn.node as this needs; @webgpu/types would bring a browser's world along. */
interface Dawn {
  create(options: string[]): { requestAdapter(options: object): Promise<Adapter | null> };
  globals: Record<string, unknown>;
}

/** Path of dawn.node, null where nobody names one. */
function dawnPath(): string | null {
  const given = process.env.RETRAIN_WEBGPU;
  if (!given) return null;
  return statSync(given, { throwIfNoEntry: false })?.isDirectory() ? join(given, 'dawn.node') : given;
}

// It lives as long as the process: its devices die with it.
let gpu: ReturnType<Dawn['create']> | null = null;

function loadDawn(path: string): ReturnType<Dawn['create']> {
  if (gpu) return gpu;
  const { create, globals } = createRequire(import.meta.url)(path) as Dawn;
  Object.assign(globalThis, globals);
  gpu = create([]);
  // Node 20 has no navigator, later ones have one that can be given a member.
  if (!('navigator' in globalThis)) Object.defineProperty(globalThis, 'navigator', { value: {} });
  const { navigator } = globalThis as unknown as { navigator: object };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  return gpu;
}

export const webgpu: Engine = {
  name: 'webgpu',
  get automatic() {
    return Boolean(process.env.RETRAIN_WEBGPU);
  },
  async open() {
    const path = dawnPath();
    if (path === null) return { unavailable: 'RETRAIN_WEBGPU names no dawn.node' };
    let adapter: Adapter | null;
    try {
      adapter = await loadDawn(path).requestAdapter({ powerPreference: 'high-performance' });
    } catch (error) {
      return { unavailable: `Dawn does not load: ${(error as Error).message.split('\n')[0]}` };
    }
    if (adapter === null) return { unavailable: 'no GPU with a Vulkan driver here' };
    const { info } = adapter;
    const device = [info.vendor, info.description || info.device || info.architecture]
      .filter(Boolean)
      .join(' ');
    // A program that plays a GPU is slower than wasm and not the same everywhere; only the conformance suite asks for it.
    const isFallback = info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
    if (isFallback && process.env.RETRAIN_WEBGPU_FALLBACK !== '1') {
      return { unavailable: `only a software adapter here (${device})` };
    }
    // Registers its backend on import, where there is a navigator.gpu.
    await import('@tensorflow/tfjs-backend-webgpu');
    replaceWebgpuKernels();
    try {
      if (!(await tf.setBackend('webgpu'))) return { unavailable: `tfjs cannot use the adapter (${device})` };
    } catch (error) {
      return {
        unavailable: `tfjs cannot use the adapter (${device}): ${(error as Error).message.split('\n')[0]}`,
      };
    }
    const what = isFallback ? `${device}, in software` : `${device}, never yet run on a GPU`;
    return {
      backend: 'webgpu',
      label: `webgpu (tfjs ${tf.version_core}, Dawn of npm webgpu, ${what})`,
      version: `tfjs ${tf.version_core}`,
      device,
      determinism: 'device',
    };
  },
};
