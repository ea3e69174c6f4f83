// A canned node that shows everything that its pages tell.
import type { Device } from '@retraind/shared/gpu/device';
import type { MachineInventory } from '@retraind/shared/node/inventory';
import type { Node, NodeDetail } from '@retraind/shared/wire/node';
import { at, runs } from './canned.ts';

const device: Device = {
  deviceId: 'GPU-1',
  vendor: 'nvidia',
  name: 'NVIDIA H100',
  architecture: 'sm90',
  memoryBytes: 80e9,
  driver: '550.54',
  runtime: '12.4',
  sliceOf: null,
  vulkan: false,
  faults: [],
  temperatureCelsius: 41,
  energy: 'counter',
};
const machine: MachineInventory = {
  devices: [device],
  replayedFrom: 'nvidia-h100',
  program: 'retraind-worker 0.1.0',
  cores: 64,
  memoryBytes: 512 * 2 ** 30,
};

export const node: Node = {
  nodeId: '0123456789abcdef',
  name: 'localhost',
  class: 'amd64+sm90',
  state: 'online',
  reason: null,
  slots: 2,
  longestRunSeconds: 28_800,
  stateBy: 'ada',
  stateAt: at,
  accelerators: [
    {
      kind: 'cuda',
      capability: 90,
      name: 'NVIDIA H100',
      memoryBytes: 80e9,
      device: { deviceId: 'GPU-1', ordinal: 0 },
    },
  ],
  inventory: { ...machine, devices: [device, { ...device, deviceId: 'GPU-2', driver: '570.1' }] },
  approvedInventory: machine,
  inventoryFaults: ['the driver of NVIDIA H100 (GPU-2) was 550.54 and is 570.1'],
  newDeviceIds: ['GPU-2'],
  tags: [
    { tag: 'fast-disk', provenance: 'claimed', by: '0123456789abcdef', at, mandatory: false },
    { tag: 'big-memory', provenance: 'set', by: 'ada', at, mandatory: true },
    { tag: 'cuda:sm_90', provenance: 'probed', by: 'farm', at, mandatory: false },
  ],
  vitals: {
    at,
    load: 3.25,
    memoryFreeBytes: 48 * 2 ** 30,
    pressure: { cpu: 1.5, memory: 0, io: 12.25 },
    diskBytes: 2 ** 40,
    diskFreeBytes: 2 ** 39,
    datasetDigests: ['d'.repeat(64)],
  },
  program: 'retraind-worker 0.1.0',
  protocol: 2,
  clockOffsetSeconds: 0.25,
  clockRefusedAt: null,
  faultsInRow: 1,
  queueSha256: 'e'.repeat(64),
  registeredAt: at,
  seenAt: at,
  runs: [runs[1]!],
  href: '/api/v1/nodes/0123456789abcdef',
  pageHref: '/nodes/0123456789abcdef',
};

export const nodeDetail: NodeDetail = {
  ...node,
  deeds: [{ at, actor: 'ada', deed: 'nodes.approve', reason: 'it is in the rack' }],
};
