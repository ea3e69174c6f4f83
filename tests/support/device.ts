// A device as its vendor's tool tells of it, for tests.
import type { Device } from '@retraind/shared/gpu/device';

export const deviceOf = (ordinal: number, change: Partial<Device> = {}): Device => ({
  deviceId: `GPU-${ordinal}`,
  vendor: 'nvidia',
  name: 'NVIDIA A100-SXM4-80GB',
  architecture: 'sm80',
  memoryBytes: 81_920 * 2 ** 20,
  driver: '535.54.03',
  runtime: '12.2',
  sliceOf: null,
  vulkan: false,
  faults: [],
  temperatureCelsius: 27,
  energy: 'sampled',
  ...change,
});
