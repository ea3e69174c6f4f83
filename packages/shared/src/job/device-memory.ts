// A run was out of device memory: how large its device was, and where the farm has a larger one.
import type { Accelerator } from '../gpu/accelerator.ts';
import type { DeviceMemory } from './failure.ts';

export interface DeviceMemoryQuestion {
  /** Devices of the slot that it had. */
  given: readonly Accelerator[];
  /** All devices of nodes that may serve. */
  farm: readonly Accelerator[];
  /** What the recipe asks for. */
  demandedBytes: number;
  /** What the job was raised to before; null where it was not. */
  raisedBytes: number | null;
}

/** In bytes; of several devices the smallest counts. */
export function deviceMemoryOf({
  given,
  farm,
  demandedBytes,
  raisedBytes,
}: DeviceMemoryQuestion): DeviceMemory {
  const failedBytes = given.length > 0 ? Math.min(...given.map(({ memoryBytes }) => memoryBytes)) : null;
  const larger = farm
    .map(({ memoryBytes }) => memoryBytes)
    .filter((bytes) => failedBytes !== null && bytes > failedBytes);
  return {
    failedBytes,
    askedBytes: Math.max(raisedBytes ?? 0, demandedBytes),
    nextBytes: larger.length > 0 ? Math.min(...larger) : null,
    wasRaised: raisedBytes !== null,
  };
}
