// The class of a slot: machine and accelerator architecture, as Debian's AI team writes it: `amd64+sm90`, `amd64+gfx1030`,
// plain `arm64`. Results of the same seed are compared within a class only.
import type { Accelerator } from './accelerator.ts';

export interface SlotClass {
  /** Debian's name of the machine: `amd64`, `arm64`. */
  machine: string;
  /** `sm90`, `gfx1030`; null without a device of known architecture. */
  architecture: string | null;
}

const machineForm = /^[a-z0-9][a-z0-9-]{1,31}$/;
const architectureForm = /^(sm[1-9]\d{1,2}|gfx[0-9a-f]{3,5})$/;

/** The parts of a class as text; null where it is none. */
export function parseClass(text: string): SlotClass | null {
  const [machine, architecture, ...more] = text.split('+');
  if (machine === undefined || more.length > 0 || !machineForm.test(machine)) return null;
  if (architecture === undefined) return { machine, architecture: null };
  return architectureForm.test(architecture) ? { machine, architecture } : null;
}

export const printClass = ({ machine, architecture }: SlotClass): string =>
  architecture === null ? machine : `${machine}+${architecture}`;

/**
 * The class of a machine with these devices. CUDA counts before ROCm, the greatest capability first; Vulkan alone names no
 * architecture. A device that came by several interfaces (CUDA and Vulkan) is named by the one that knows more.
 */
export function classOf(machine: string, devices: readonly Accelerator[]): string {
  const capabilities = devices.flatMap((device) => (device.kind === 'cuda' ? [device.capability] : []));
  const rocm = devices.flatMap((device) => (device.kind === 'rocm' ? [device.architecture] : [])).sort();
  const architecture = capabilities.length > 0 ? `sm${Math.max(...capabilities)}` : (rocm[0] ?? null);
  return printClass({ machine, architecture });
}
