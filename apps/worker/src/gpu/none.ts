// A machine without devices, and a run on the CPU of one that has some: the vendors' libraries are told to see none.
import type { Vendor } from './vendor.ts';

export const none: Vendor = {
  name: 'none',
  vulkanDrivers: [],
  look: async () => null,
  read: () => [],
  grant: async () => ({
    nodes: [],
    readable: [],
    environment: { CUDA_VISIBLE_DEVICES: '', ROCR_VISIBLE_DEVICES: '' },
  }),
};
