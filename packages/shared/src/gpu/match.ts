// Does a slot satisfy what a run wishes for, by which alternative, and if not, what is nearest and what it lacks.
import { displayBytes } from '../units/bytes.ts';
import type { Accelerator, AcceleratorWish } from './accelerator.ts';
import { printWish, printWishes } from './wish.ts';

export interface DeviceNeed {
  /** Best first; the first that fits is taken. */
  accelerators: readonly AcceleratorWish[];
  gpus: number;
  /** Memory that each device must have; 0 for any. */
  gpuMemoryBytes: number;
}

export type Match =
  | { fits: true; wish: AcceleratorWish; alternative: number; devices: Accelerator[] }
  | { fits: false };

/** A device as people name it: `NVIDIA A100 (cuda:sm_80, 40.0 GiB)`. */
export function printAccelerator(device: Accelerator): string {
  const kind =
    device.kind === 'cuda'
      ? `cuda:sm_${device.capability}`
      : device.kind === 'rocm'
        ? `rocm:${device.architecture}`
        : 'vulkan';
  return `${device.name} (${kind}, ${displayBytes(device.memoryBytes)})`;
}

/** Whether the device is of the kind that is wished for; memory is asked elsewhere. */
export function deviceSatisfies(device: Accelerator, wish: AcceleratorWish): boolean {
  switch (wish.kind) {
    case 'none':
      return false;
    case 'cuda':
      return device.kind === 'cuda' && device.capability >= wish.minimumCapability;
    case 'rocm':
      return device.kind === 'rocm' && device.architecture === wish.architecture;
    case 'vulkan':
      return device.kind === 'vulkan';
  }
}

/** Matches a need with the devices of one slot. `none` fits every slot and takes no device. */
export function matchSlot(need: DeviceNeed, devices: readonly Accelerator[]): Match {
  for (const [alternative, wish] of need.accelerators.entries()) {
    if (wish.kind === 'none') return { fits: true, wish, alternative, devices: [] };
    const enough = usable(need, devices).filter(
      (device) => deviceSatisfies(device, wish) && device.memoryBytes >= need.gpuMemoryBytes,
    );
    if (enough.length >= need.gpus) {
      return { fits: true, wish, alternative, devices: smallestFirst(enough).slice(0, need.gpus) };
    }
  }
  return { fits: false };
}

/** CUDA shows a program one slice of a GPU only: a run of several devices needs whole ones. Source: MIG User Guide, CUDA_VISIBLE_DEVICES. */
const usable = (need: DeviceNeed, devices: readonly Accelerator[]): readonly Accelerator[] =>
  need.gpus === 1 ? devices : devices.filter(({ device }) => device?.isSlice !== true);

const smallestFirst = (devices: Accelerator[]): Accelerator[] =>
  devices.sort((a, b) => a.memoryBytes - b.memoryBytes);

/** Why matchSlot refuses: what is wanted, what is there, and what each alternative lacks. */
export function mismatch(need: DeviceNeed, devices: readonly Accelerator[]): string {
  const reasons = need.accelerators.map((wish) => {
    const ofKind = usable(need, devices).filter((device) => deviceSatisfies(device, wish));
    const large = ofKind.filter((device) => device.memoryBytes >= need.gpuMemoryBytes);
    return `${printWish(wish)}: ${lack(need, devices, wish, ofKind, large)}`;
  });
  const has =
    devices.length === 0
      ? 'the slot has no accelerator'
      : `the slot has ${devices.map(printAccelerator).join(', ')}`;
  return `wants ${printWishes(need.accelerators)}; ${has} (${reasons.join('; ')})`;
}

function lack(
  need: DeviceNeed,
  devices: readonly Accelerator[],
  wish: AcceleratorWish,
  ofKind: readonly Accelerator[],
  large: readonly Accelerator[],
): string {
  if (ofKind.length > 0 && large.length === 0) {
    return `${displayBytes(need.gpuMemoryBytes)} of device memory wanted, ${displayBytes(Math.max(...ofKind.map(({ memoryBytes }) => memoryBytes)))} there`;
  }
  if (ofKind.length > 0) return `${need.gpus} devices wanted, ${large.length} there`;
  if (devices.some((device) => deviceSatisfies(device, wish))) {
    return `${need.gpus} devices wanted, and only slices there: a run has one of these at most`;
  }
  const best = devices.flatMap((device) => (device.kind === 'cuda' ? [device.capability] : []));
  if (wish.kind === 'cuda' && best.length > 0) {
    return `capability ${(wish.minimumCapability / 10).toFixed(1)} wanted, ${(Math.max(...best) / 10).toFixed(1)} there`;
  }
  return 'no such device';
}
