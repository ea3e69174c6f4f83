// Our own WebAssembly: kernels.wasm, made from packages/pipeline/wasm/. It works on tfjs's memory and owns none.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WasmBackend } from './backend.ts';

type Call = (...values: number[]) => void;

/** Arguments are described where the functions are written (packages/pipeline/wasm/*.ts). */
export interface OwnModule {
  avgPoolGradient: Call;
  columnSum: Call;
  conv2d: Call;
  conv2dFilterGradient: Call;
  conv2dInputGradient: Call;
  depthwiseGradient: Call;
  dropoutMask: Call;
  maxPool: Call;
  maxPoolGradient: Call;
  relu: Call;
  segmentSum: Call;
  sgemm: Call;
}

// Beside the bundle in the built folder (build.mjs); in a checkout beside its source.
const places = ['./kernels.wasm', '../../../wasm/kernels.wasm'];

let compiled: WebAssembly.Module | undefined;
let opened: { memory: WebAssembly.Memory; calls: OwnModule } | undefined;

/** Puts the module on the backend's memory. Called again it does nothing, unless the backend is another one. */
export function openModule(backend: WasmBackend): void {
  const { memory } = backend.wasm.asm;
  if (opened?.memory === memory) return;
  if (!compiled) {
    const paths = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
    const path = paths.find(existsSync);
    if (path === undefined) throw new Error(`kernels.wasm is not at ${paths.join(' nor at ')}`);
    compiled = new WebAssembly.Module(readFileSync(path));
  }
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  opened = { memory, calls: exports as unknown as OwnModule };
}

/** The module's functions. */
export function ownModule(): OwnModule {
  if (!opened) throw new Error('the wasm engine is not open: its own kernels have no memory yet');
  return opened.calls;
}
