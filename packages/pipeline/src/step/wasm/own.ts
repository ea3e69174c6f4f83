// Replays a kernel run by the kernel of our own that the eager engine runs too, on planned addresses: the same table, the same bits.
import type { WasmBackend } from '../../engine/wasm/backend.ts';
import { openModule } from '../../engine/wasm/module.ts';
import type { Inputs } from '../../engine/wasm/own-kernel.ts';
import { ownKernels } from '../../engine/wasm/own-kernels.ts';
import type { HeapBackend } from './heap.ts';
import type { Lowered } from './lower.ts';
import type { KernelRun, TensorUse } from './recording.ts';

/** Null where there is no own kernel, or it is not written for this run's shapes and attributes. */
export function own(backend: HeapBackend, run: KernelRun): Lowered | null {
  const kernel = ownKernels.find(({ name }) => name === run.name);
  if (!kernel || Array.isArray(run.inputs)) return null;
  const given = Object.entries(run.inputs).filter((entry): entry is [string, TensorUse] => entry[1] !== null);
  const inputs: Inputs = Object.fromEntries(given);
  if (!kernel.fits(inputs, run.attrs)) return null;
  openModule(backend as unknown as WasmBackend);
  const call = kernel.bind(inputs, run.attrs);
  return {
    by: 'own',
    scratchBytes: kernel.scratchBytes(inputs, run.attrs),
    overwrites: () => false,
    bind({ address, scratch }) {
      const addresses = {
        inputs: Object.fromEntries(given.map(([name, { data }]) => [name, address(data)])),
        outputs: run.outputs.map(({ data }) => address(data)),
        scratch,
      };
      return () => call(addresses);
    },
  };
}
