// The kernel's side of a device that shows itself through DRM: its device file, and what of sysfs libdrm, Vulkan and Level Zero
// read of it. Source: libdrm (drmGetDevice2 follows /sys/dev/char), Documentation/gpu/drm-uapi.
import { Problem } from '@retraind/shared/wire/problems';
import type { DeviceNode } from '../sandbox/sandbox.ts';
import type { Machine } from './machine.ts';
import type { Reading } from './vendor.ts';

/** Links only, and the shape of the machine; no device of it can be opened through them. */
const common = [
  '/sys/bus/pci/devices',
  '/sys/class/drm',
  '/sys/dev/char',
  '/sys/devices/system/cpu',
  '/sys/devices/system/node',
];

/** Problem `device-fault` where the kernel shows no render node of the device. */
export const renderNode = (machine: Machine, { pciAddress, device }: Reading): DeviceNode => {
  const name = machine
    .names(`/sys/bus/pci/devices/${pciAddress}/drm`)
    .find((entry) => /^renderD\d{1,4}$/.test(entry));
  if (name === undefined) {
    throw new Problem(
      'device-fault',
      `The kernel shows no render node of ${device.name} at ${pciAddress}.`,
      'Look whether its driver is loaded: lspci -k',
    );
  }
  return { source: machine.at(`/dev/dri/${name}`), target: `/dev/dri/${name}` };
};

/** Read-only paths for these devices, those that are there. */
export const sysfsOf = (
  machine: Machine,
  readings: readonly Reading[],
  more: readonly string[],
): string[] => {
  const own = readings.flatMap(({ pciAddress }) => {
    const real = machine.real(`/sys/bus/pci/devices/${pciAddress}`);
    return real === null ? [] : [real];
  });
  return [...common, ...more, ...own].filter((path) => machine.exists(path));
};
