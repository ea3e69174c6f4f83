// A device of a node as its vendor's tool tells of it, and what follows from that: the ways in which a run may use it, the
// class of the machine, and what has changed since the worker began.
import type { Accelerator } from './accelerator.ts';

export const gpuVendors = ['nvidia', 'amd', 'intel'] as const;
export type GpuVendor = (typeof gpuVendors)[number];

/** How a device tells the energy that a run took, best first: a counter, power drawn at moments, its power limit. */
export const energySources = ['counter', 'sampled', 'estimated'] as const;
export type EnergySource = (typeof energySources)[number];

export interface Device {
  /** The vendor's UUID (`GPU-…`, `MIG-…`), else the PCI address: the same after a restart. */
  deviceId: string;
  vendor: GpuVendor;
  name: string;
  /** `sm90`, `gfx90a`; where the vendor names no architecture, PCI vendor and device: `pci80860bd5`. */
  architecture: string;
  memoryBytes: number;
  driver: string | null;
  /** Highest CUDA or ROCm that the driver serves, as it says; null where it says none. */
  runtime: string | null;
  /** `deviceId` of the GPU that this is a slice of; null for a whole one. */
  sliceOf: string | null;
  /** Whether a Vulkan driver for it is installed. */
  vulkan: boolean;
  /** Why nothing may run on it; empty for a device that is well. */
  faults: string[];
  temperatureCelsius: number | null;
  /** Null where nothing tells. */
  energy: EnergySource | null;
}

/** What the farm may place a run by, one entry a way to use a device. A device with a fault keeps its place and offers nothing. */
export const acceleratorsOf = (devices: readonly Device[]): Accelerator[] =>
  devices.flatMap((device, ordinal) => {
    if (device.faults.length > 0) return [];
    const { name, memoryBytes, deviceId, architecture } = device;
    const common = {
      name,
      memoryBytes,
      device: { deviceId, ordinal, ...(device.sliceOf !== null && { isSlice: true as const }) },
    };
    const ways: Accelerator[] = [];
    const capability = /^sm(\d{2,3})$/.exec(architecture)?.[1];
    if (capability !== undefined) ways.push({ kind: 'cuda', capability: Number(capability), ...common });
    if (architecture.startsWith('gfx')) ways.push({ kind: 'rocm', architecture, ...common });
    // A slice has no graphics: Vulkan does not see it.
    if (device.vulkan && device.sliceOf === null) ways.push({ kind: 'vulkan', ...common });
    return ways;
  });

/** Machine + accelerator architectures, each once: `amd64+sm90`; the plain machine where there is none. */
export const nodeClass = (machine: string, devices: readonly Pick<Device, 'architecture'>[]): string =>
  [machine, ...new Set(devices.map(({ architecture }) => architecture).sort())].join('+');

const printDevice = ({ name, deviceId }: Device): string => `${name} (${deviceId})`;

/**
 * What is wrong `now` with the devices that a run is to have (their ids), told against those that the worker began with: each a
 * sentence. What else the machine has is no affair of the run.
 */
export function faultsOfDevices(
  deviceIds: readonly string[],
  begun: readonly Device[],
  now: readonly Device[],
): string[] {
  const before = new Map(begun.map((device) => [device.deviceId, device]));
  const present = new Map(now.map((device) => [device.deviceId, device]));
  return deviceIds.flatMap((deviceId) => {
    const [device, found] = [before.get(deviceId), present.get(deviceId)];
    if (found === undefined) return [device ? `${printDevice(device)} is gone` : `${deviceId} is not there`];
    const name = printDevice(found);
    return [
      ...(device && found.driver !== device.driver
        ? [`the driver of ${name} was ${device.driver} and is ${found.driver}`]
        : []),
      ...(device && found.memoryBytes !== device.memoryBytes
        ? [`${name} had ${device.memoryBytes} bytes of memory and has ${found.memoryBytes}`]
        : []),
      ...found.faults.map((fault) => `${name}: ${fault}`),
    ];
  });
}
