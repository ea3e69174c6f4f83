// The nodes of a simulated farm: drawn from a list of common machines, or read from a file. They are no recordings and say so
// by their names; what decides over them is the same as over real ones.
import type { Accelerator } from '../gpu/accelerator.ts';
import { type NodeTag, slotsOfNode, type WorldNode, type WorldSlot } from '../policy/world.ts';

/** What does not change of a node while it is simulated. */
export interface SimulatedNode {
  name: string;
  class: string;
  slots: WorldSlot[];
  tags: NodeTag[];
  memoryBytes: number | null;
  diskFreeBytes: number | null;
  longestRunSeconds: number;
}

const gibibyte = 2 ** 30;

const cuda = (name: string, capability: number, gibibytes: number): Accelerator => ({
  kind: 'cuda',
  capability,
  name,
  memoryBytes: gibibytes * gibibyte,
});
const rocm = (name: string, architecture: string, gibibytes: number): Accelerator => ({
  kind: 'rocm',
  architecture,
  name,
  memoryBytes: gibibytes * gibibyte,
});

interface Machine {
  name: string;
  class: string;
  slots: number;
  devices: Accelerator[];
  memoryGibibytes: number;
}

const times = (count: number, device: Accelerator): Accelerator[] =>
  Array.from({ length: count }, () => device);

const machine = {
  cpu: { name: 'cpu', class: 'amd64', slots: 4, devices: [], memoryGibibytes: 128 },
  arm: { name: 'arm', class: 'arm64', slots: 4, devices: [], memoryGibibytes: 64 },
  desk: {
    name: 'desk',
    class: 'amd64+sm86',
    slots: 2,
    devices: times(2, cuda('RTX 3090', 86, 24)),
    memoryGibibytes: 128,
  },
  rack: {
    name: 'rack',
    class: 'amd64+sm80',
    slots: 4,
    devices: times(4, cuda('A100 40 GB', 80, 40)),
    memoryGibibytes: 512,
  },
  quad: {
    name: 'quad',
    class: 'amd64+sm80',
    slots: 1,
    devices: times(4, cuda('A100 80 GB', 80, 80)),
    memoryGibibytes: 512,
  },
  hopper: {
    name: 'hopper',
    class: 'amd64+sm90',
    slots: 4,
    devices: times(4, cuda('H100', 90, 80)),
    memoryGibibytes: 1_024,
  },
  instinct: {
    name: 'instinct',
    class: 'amd64+gfx90a',
    slots: 4,
    devices: times(4, rocm('MI210', 'gfx90a', 64)),
    memoryGibibytes: 512,
  },
  radeon: {
    name: 'radeon',
    class: 'amd64+gfx1030',
    slots: 1,
    devices: [rocm('RX 6800', 'gfx1030', 16)],
    memoryGibibytes: 64,
  },
} satisfies Record<string, Machine>;

/** Twenty nodes of a farm that grew over the years; a larger farm repeats them, a smaller one takes the first. */
const pattern: readonly Machine[] = [
  ...[machine.rack, machine.cpu, machine.desk, machine.instinct, machine.hopper],
  ...[machine.desk, machine.cpu, machine.quad, machine.rack, machine.arm],
  ...[machine.radeon, machine.desk, machine.rack, machine.cpu, machine.desk],
  ...[machine.instinct, machine.rack, machine.desk, machine.hopper, machine.cpu],
];

export const drawFleet = (count: number): SimulatedNode[] =>
  Array.from({ length: count }, (_, index) => {
    const { name, class: nodeClass, slots, devices, memoryGibibytes } = pattern[index % pattern.length]!;
    return {
      name: `${name}-${String(index + 1).padStart(3, '0')}`,
      class: nodeClass,
      slots: slotsOfNode(slots, devices),
      tags: [],
      memoryBytes: memoryGibibytes * gibibyte,
      diskFreeBytes: 2_000 * gibibyte,
      longestRunSeconds: 0,
    };
  });

/** The node as the scheduler sees it before anything has happened. Ids are numbers of the list, in the farm's form. */
export const worldNodeOf = (node: SimulatedNode, index: number): WorldNode => ({
  ...node,
  nodeId: (index + 1).toString(16).padStart(16, '0'),
  machine: node.class.split('+')[0]!,
  approved: true,
  drainReason: null,
  quarantinedAt: null,
  retired: false,
  datasetDigests: [],
  seenAt: null,
});
