// tfjs-node's native half, loaded without its index.js: that one wants the whole union of tfjs, node-pre-gyp and a library
// in node_modules. Its backend and kernels run on the one copy of tfjs that this process has.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import * as tf from '../../tf.ts';
import { chainOperations } from './chained.ts';
import { type EngineFolder, engineFolder, type Manifest } from './folder.ts';
import { openNative } from './native.ts';
import { fixSettings, type Settings } from './settings.ts';

/** An attribute of an operation in TensorFlow's words; `type` is one of the binding's TF_ATTR_… numbers. */
export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

export interface OpOutput {
  id: number;
  shape: number[];
  /** One of the binding's TF_… numbers. */
  dtype: number;
}

/** The binding, as an object of our own whose members may be replaced: the recorder of steps does. Ids are never reused. */
export interface TensorflowBinding {
  createTensor(shape: number[], dtype: number, values: unknown): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ArrayBufferView;
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): OpOutput[];
  /** `tags` joined by commas. */
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): OpOutput[];
  isUsingGpuDevice(): boolean;
  getNumOfTensors(): number;
  readonly TF_Version: string;
  /** TF_FLOAT, TF_ATTR_TYPE …: the C API's numbers. */
  readonly [constant: `TF_${string}`]: unknown;
}

/** What is loaded in this process; it cannot be unloaded, so there is one. */
export interface LoadedTensorflow {
  folder: EngineFolder;
  binding: TensorflowBinding;
  settings: Settings;
  usesGpu: boolean;
}

/** The name under which tfjs-node registers its kernels. */
export const backendName = 'tensorflow';

let loaded: LoadedTensorflow | null = null;

/** What is loaded, or will be at the first operation; null before an engine of TensorFlow was opened. */
export const loadedTensorflow = (): LoadedTensorflow | null => loaded;

/** The binding that the backend `tensorflow` calls at each operation; null before an engine of TensorFlow was opened. */
export const tensorflowBinding = (): TensorflowBinding | null => loaded?.binding ?? null;

/**
 * Loads TensorFlow from the folder of this kind and registers its backend; a second call answers what is loaded.
 * `hideGpu` keeps a CUDA library on the CPU.
 */
export function loadTensorflow(
  kind: Manifest['kind'],
  { hideGpu }: { hideGpu: boolean },
): LoadedTensorflow | { unavailable: string } {
  if (loaded) return loaded;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      unavailable: `TensorFlow's libraries are for linux x64, this is ${process.platform} ${process.arch}`,
    };
  }
  const folder = engineFolder(kind);
  if ('unavailable' in folder) return folder;
  const { path, manifest } = folder;
  if (manifest.kind !== kind && kind === 'cuda') {
    return { unavailable: `${path} holds TensorFlow for the CPU: run infra/gpu/install-tfjs-node --cuda` };
  }
  const settings = fixSettings();
  if (hideGpu) process.env.CUDA_VISIBLE_DEVICES = '-1';
  const load = createRequire(join(path, 'package.json'));
  // Node 23 took these two away; tfjs-node's kernels call them.
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
  const opened = openNative(join(path, 'lib/napi-v8/tfjs_binding.node'), {
    later: settings.mayChoose && kind === 'cpu',
  });
  if ('unavailable' in opened) return opened;
  const binding = opened.members as unknown as TensorflowBinding;
  if (binding.TF_Version !== manifest.tensorflow) {
    return {
      unavailable: `${path} holds TensorFlow ${binding.TF_Version}, its binding was built for ${manifest.tensorflow}: run infra/gpu/install-tfjs-node`,
    };
  }
  // The folder's node_modules/@tensorflow/tfjs answers this symbol, so that tfjs-node's files find our copy.
  (globalThis as Record<symbol, unknown>)[Symbol.for('retrain-tfjs.tf')] = tf;
  const { NodeJSKernelBackend } = load('./dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: new (binding: TensorflowBinding, name: string) => tf.KernelBackend;
  };
  chainOperations();
  load('./dist/register_all_kernels.js');
  const name = `@tensorflow/tfjs-node${manifest.kind === 'cuda' ? '-gpu' : ''}`;
  tf.registerBackend(backendName, () => new NodeJSKernelBackend(binding, name));
  loaded = { folder, binding, settings, usesGpu: binding.isUsingGpuDevice() };
  return loaded;
}
