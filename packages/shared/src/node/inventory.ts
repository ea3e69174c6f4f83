// The inventory that an admin approved, held against what the node reports. Less than approved, or another driver, drains the
// node: its runs would not be those that the class promises. More is shown and not used before it is approved.

import type { Accelerator } from '../gpu/accelerator.ts';
import { acceleratorsOf, type Device } from '../gpu/device.ts';

export interface MachineInventory {
  /** As the machine tells them; those that are approved are dealt to slots in this order. */
  devices: Device[];
  /** The recording that `devices` were read from; null for real ones. */
  replayedFrom: string | null;
  /** Version of the worker's program. */
  program: string;
  cores: number;
  /** Main memory. */
  memoryBytes: number;
}

/** A kernel keeps a little more or less for itself from one version to the next. */
const memoryTolerance = 0.02;

const printDevice = ({ name, deviceId }: Device): string => `${name} (${deviceId})`;
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** What the node lacks of what was approved: each a sentence; none where it may go on. */
export function inventoryFaults(approved: MachineInventory, reported: MachineInventory): string[] {
  const present = new Map(reported.devices.map((device) => [device.deviceId, device]));
  const faults = approved.devices.flatMap((device) => {
    const found = present.get(device.deviceId);
    if (found === undefined) return [`${printDevice(device)} is gone`];
    return [
      ...(found.driver === device.driver
        ? []
        : [
            `the driver of ${printDevice(device)} was ${device.driver ?? 'none'} and is ${found.driver ?? 'none'}`,
          ]),
      ...(found.architecture === device.architecture
        ? []
        : [`${printDevice(device)} was ${device.architecture} and is ${found.architecture}`]),
      ...(found.memoryBytes >= device.memoryBytes
        ? []
        : [
            `${printDevice(device)} had ${gib(device.memoryBytes)} of memory and has ${gib(found.memoryBytes)}`,
          ]),
    ];
  });
  if (approved.replayedFrom !== reported.replayedFrom) {
    const from = (recording: string | null) => (recording === null ? 'real' : `replayed from ${recording}`);
    faults.push(`its devices were ${from(approved.replayedFrom)} and are ${from(reported.replayedFrom)}`);
  }
  if (reported.memoryBytes < approved.memoryBytes * (1 - memoryTolerance)) {
    faults.push(`main memory was ${gib(approved.memoryBytes)} and is ${gib(reported.memoryBytes)}`);
  }
  return faults;
}

/** Devices that nobody approved. */
export function newDevices(approved: MachineInventory | null, reported: MachineInventory): Device[] {
  const known = new Set(approved?.devices.map(({ deviceId }) => deviceId));
  return reported.devices.filter(({ deviceId }) => !known.has(deviceId));
}

/**
 * What runs may be placed by: ways to use devices that are reported now, without fault, and approved. Their places are those of the
 * approved inventory, so that a device that comes or goes moves no other to another slot.
 */
export function usableAccelerators(
  approved: MachineInventory | null,
  reported: MachineInventory,
): Accelerator[] {
  const places = new Map(approved?.devices.map(({ deviceId }, ordinal) => [deviceId, ordinal]));
  return acceleratorsOf(reported.devices).flatMap((way) => {
    const ordinal = places.get(way.device!.deviceId);
    return ordinal === undefined ? [] : [{ ...way, device: { ...way.device!, ordinal } }];
  });
}
