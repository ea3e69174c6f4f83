// What a node says of itself, for tests.
import type { Device } from '@retraind/shared/gpu/device';
import type { NodeEnrolment, NodeReport } from '@retraind/shared/wire/node';
import type { NodeKey } from '@retraind/worker/node-key';
import { deviceOf } from '../support/device.ts';

export const selfOf = (devices: Device[] = [], change: Partial<NodeReport> = {}): NodeReport => ({
  inventory: { devices, replayedFrom: null, program: 'test 0.1.0' },
  cores: 8,
  memoryBytes: 64 * 2 ** 30,
  tags: [],
  vitals: {
    at: new Date().toISOString(),
    load: 1.5,
    memoryFreeBytes: 32 * 2 ** 30,
    pressure: { cpu: 2.5, memory: 0, io: 40 },
    diskBytes: 2 ** 40,
    diskFreeBytes: 2 ** 39,
    datasetDigests: ['d'.repeat(64)],
  },
  ...change,
});

export const enrolmentOf = (key: NodeKey, change: Partial<NodeEnrolment> = {}): NodeEnrolment => {
  const { vitals: _, ...self } = selfOf([deviceOf(0)]);
  return {
    ...self,
    publicKey: key.publicKeyPem,
    name: 'gpu-new',
    class: 'amd64+sm80',
    slots: 1,
    queueSha256: 'a'.repeat(64),
    tags: ['scratch'],
    ...change,
  };
};
