// The long tail: kernels that tfjs's cpu backend has and its wasm backend lacks run on the cpu backend, on copies. They
// are rare in training (einsum, ragged gathers); what is hot has its own code.
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import {
  getKernelsForBackend,
  type KernelConfig,
  type KernelFunc,
  type NamedTensorInfoMap,
  registerKernel,
  type TensorInfo,
  type TypedArray,
} from '@tensorflow/tfjs-core';
import type { WasmBackend } from './backend.ts';

/** Kernels on complex numbers, which the wasm backend does not store, and the one that draws on a canvas. */
const unbridged = new Set([
  'Complex',
  'ComplexAbs',
  'Draw',
  'FFT',
  'IFFT',
  'Imag',
  'Real',
  'StaticRegexReplace',
]);

/** A backend of our own: the registered one may never have been opened, and it counts tensors. */
let cpuBackend: MathBackendCPU | undefined;

function cpuOnce(): MathBackendCPU {
  if (!cpuBackend) {
    cpuBackend = new MathBackendCPU();
    // Else its first use advertises tfjs-node on the recipe's standard error.
    (cpuBackend as unknown as { firstUse: boolean }).firstUse = false;
  }
  return cpuBackend;
}

/** The kernel of the cpu backend as a kernel of the wasm backend. */
export function bridged(kernelFunc: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const wasm = backend as WasmBackend;
    const cpu = cpuOnce();
    const copies: TensorInfo[] = [];
    const there = ({ dataId, shape, dtype }: TensorInfo): TensorInfo => {
      const copy = cpu.makeTensorInfo(shape, dtype, wasm.readSync(dataId) as TypedArray);
      copies.push(copy);
      return copy;
    };
    const back = (result: TensorInfo): TensorInfo => {
      const { shape, dtype } = result;
      const values = cpu.readSync(result.dataId) as TypedArray;
      return wasm.makeOutput(shape, dtype, undefined, typed(values, dtype));
    };
    // Some kernels (Einsum, Pack) take a list instead of names.
    const moved = Array.isArray(inputs)
      ? inputs.map(there)
      : Object.fromEntries(
          Object.entries(inputs).map(([name, input]) => [name, input && there(input as TensorInfo)]),
        );
    const results = kernelFunc({ inputs: moved as NamedTensorInfoMap, attrs: attrs ?? {}, backend: cpu });
    const list = Array.isArray(results) ? results : [results];
    const outputs = list.map(back);
    for (const { dataId } of [...list, ...copies]) if (cpu.data.has(dataId)) cpu.disposeData(dataId, true);
    return Array.isArray(results) ? outputs : outputs[0]!;
  };
}

/** The cpu backend keeps some results as plain arrays. */
function typed(values: TypedArray | number[], dtype: string): TypedArray {
  if (!Array.isArray(values)) return values;
  if (dtype === 'int32') return Int32Array.from(values);
  return dtype === 'bool' ? Uint8Array.from(values) : Float32Array.from(values);
}

/** Registers what is still missing. Answers the names, for the test. */
export function bridgeTheRest(): string[] {
  const names = (backend: string): KernelConfig[] => getKernelsForBackend(backend);
  const there = new Set(names('wasm').map(({ kernelName }) => kernelName));
  const missing = names('cpu').filter(
    ({ kernelName }) => !there.has(kernelName) && !unbridged.has(kernelName),
  );
  for (const { kernelName, kernelFunc } of missing) {
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc: bridged(kernelFunc) });
  }
  return missing.map(({ kernelName }) => kernelName);
}
