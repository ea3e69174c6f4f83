// A vendor of GPUs: asks its tools what this machine has, reads what they print, and says what a program needs to reach a
// device. One interface, one file a vendor, one suite over recorded outputs (tests/conformance/gpu.test.ts).
//
//   look (the machine) ──► outputs ──► read (pure) ──► readings ──► grant (of the devices of one slot)
//                             ▲
//                   a recording (recording.ts)
import type { Device } from '@retraind/shared/gpu/device';
import type { DeviceNode } from '../sandbox/sandbox.ts';
import { amd } from './amd.ts';
import { intel } from './intel.ts';
import type { Machine } from './machine.ts';
import { none } from './none.ts';
import { nvidia } from './nvidia.ts';

/** What the tools of a vendor printed, by names of the vendor's own. */
export type Outputs = Readonly<Record<string, string>>;

/** A device, with what only its own machine wants to know. */
export interface Reading {
  device: Device;
  /** `0000:07:00.0`, lower case. */
  pciAddress: string;
  /** The place of the device as its vendor's library counts them, from 0. */
  index: number;
  /** Number of the device file where the vendor numbers them (`/dev/nvidia3`); null elsewhere. */
  minor: number | null;
  /** Of a MIG slice. */
  instances: { gpu: number; compute: number } | null;
  powerWatts: number | null;
  powerLimitWatts: number | null;
  /** A counter that only grows, from an origin that does not matter. */
  energyWattHours: number | null;
}

/** All that a program needs to use its devices. */
export interface DeviceGrant {
  nodes: DeviceNode[];
  /** Files and folders to be seen read-only, at their own places. */
  readable: string[];
  environment: Record<string, string>;
}

export interface Vendor {
  readonly name: 'nvidia' | 'amd' | 'intel' | 'none';
  /** Null where this machine shows no device of the vendor. Problem `tool-missing` where it shows one that nothing can tell of. */
  look(machine: Machine): Promise<Outputs | null>;
  /** Problem `invalid-inventory` for what no tool would print. `vulkan`: whether the vendor's Vulkan driver is installed. */
  read(outputs: Outputs, vulkan: boolean): Reading[];
  /** Names under /usr/share/vulkan/icd.d of the vendor's Vulkan drivers begin so. */
  readonly vulkanDrivers: readonly string[];
  /** Problem `device-fault` where a device file is not there. */
  grant(readings: readonly Reading[], machine: Machine): Promise<DeviceGrant>;
}

export const vendors: readonly Vendor[] = [nvidia, amd, intel, none];
