import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceleratorsOf, changesOfDevices, type Device, devicesOfSlot, nodeClass } from './device.ts';

const h100: Device = {
  deviceId: 'GPU-a',
  vendor: 'nvidia',
  name: 'H100',
  architecture: 'sm90',
  memoryBytes: 80e9,
  driver: '550.54',
  runtime: '12.4',
  sliceOf: null,
  vulkan: true,
  faults: [],
  temperatureCelsius: 30,
  energy: 'sampled',
};
const second = { ...h100, deviceId: 'GPU-b' };

test('a device offers CUDA or ROCm by its architecture, Vulkan by its driver, and nothing while it has a fault', () => {
  const kinds = (device: Device) => acceleratorsOf([device]).map(({ kind }) => kind);
  assert.deepEqual(kinds(h100), ['cuda', 'vulkan']);
  assert.deepEqual(kinds({ ...h100, vulkan: false, architecture: 'gfx90a' }), ['rocm']);
  assert.deepEqual(kinds({ ...h100, architecture: 'pci80860bd5' }), ['vulkan']);
  assert.deepEqual(kinds({ ...h100, sliceOf: 'GPU-z' }), ['cuda']);
  assert.deepEqual(kinds({ ...h100, faults: ['2 uncorrected memory errors'] }), []);
  assert.equal(acceleratorsOf([{ ...h100, architecture: 'sm120' }])[0]!.kind, 'cuda');
});

test('a sick device keeps its turn, so that no other slot is given its neighbour', () => {
  const devices = [{ ...h100, faults: ['sick'] }, second];
  assert.equal(acceleratorsOf(devices)[0]!.device!.ordinal, 1);
  assert.deepEqual(
    [0, 1].map((slot) => devicesOfSlot(devices, 2, slot).map(({ deviceId }) => deviceId)),
    [['GPU-a'], ['GPU-b']],
  );
});

test('a class names each architecture once, in order', () => {
  assert.equal(nodeClass('arm64', []), 'arm64');
  assert.equal(
    nodeClass('amd64', [{ architecture: 'sm90' }, { architecture: 'gfx1030' }, { architecture: 'sm90' }]),
    'amd64+gfx1030+sm90',
  );
});

test('what changed since the start is told, a fault only of a device that is used', () => {
  const changes = (now: Device[], used = ['GPU-a']) => changesOfDevices([h100, second], now, used);
  assert.deepEqual(changes([second, h100]), []);
  assert.deepEqual(changes([h100]), ['H100 (GPU-b) is gone']);
  assert.deepEqual(changes([h100, { ...second, driver: '560.1' }]), [
    'the driver of H100 (GPU-b) was 550.54 and is 560.1',
  ]);
  assert.deepEqual(changes([h100, second, { ...second, deviceId: 'GPU-c' }]), ['H100 (GPU-c) is new']);
  assert.match(changes([{ ...h100, memoryBytes: 40e9 }, second])[0]!, /had 80000000000 bytes/);
  const sick = { ...h100, faults: ['too hot'] };
  assert.deepEqual(changes([sick, second]), ['H100 (GPU-a): too hot']);
  assert.deepEqual(changes([sick, second], ['GPU-b']), []);
});
