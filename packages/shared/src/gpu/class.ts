// The class in which a run computes: machine and accelerator architecture, as Debian's AI team writes it: `amd64+sm90`,
// `amd64+gfx1030`, plain `arm64` for a CPU. Results of the same seed are compared bit by bit within a class only.
import type { Accelerator } from './accelerator.ts';
import { type DeviceNeed, matchSlot } from './match.ts';

/**
 * The class of a machine with these devices. CUDA counts before ROCm, the greatest capability first; of Vulkan alone no architecture is
 * known: `amd64+vulkan`. A device that came by several interfaces (CUDA and Vulkan) is named by the one that knows more.
 */
export function classOf(machine: string, devices: readonly Accelerator[]): string {
  const capabilities = devices.flatMap((device) => (device.kind === 'cuda' ? [device.capability] : []));
  if (capabilities.length > 0) return `${machine}+sm${Math.max(...capabilities)}`;
  const [rocm] = devices.flatMap((device) => (device.kind === 'rocm' ? [device.architecture] : [])).sort();
  if (rocm !== undefined) return `${machine}+${rocm}`;
  return devices.length > 0 ? `${machine}+vulkan` : machine;
}

/**
 * The class in which a run with this need computes on these devices: that of the ones it would be given, with every way to use them. Where
 * none of its alternatives fits: of all the devices.
 */
export function classFor(machine: string, need: DeviceNeed, accelerators: readonly Accelerator[]): string {
  const match = matchSlot(need, accelerators);
  if (!match.fits) return classOf(machine, accelerators);
  const ids = new Set(match.devices.flatMap(({ device }) => device?.deviceId ?? []));
  const otherWays = accelerators.filter(({ device }) => ids.has(device?.deviceId ?? ''));
  return classOf(machine, [...match.devices, ...otherWays]);
}
