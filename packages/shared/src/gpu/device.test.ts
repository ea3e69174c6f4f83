import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceleratorsOf, type Device, faultsOfDevices, nodeClass } from './device.ts';

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

test('a sick device keeps its place, so that no other slot is given its neighbour', () => {
  const devices = [{ ...h100, faults: ['sick'] }, second];
  assert.equal(acceleratorsOf(devices)[0]!.device!.ordinal, 1);
});

test('a class names each architecture once, in order', () => {
  assert.equal(nodeClass('arm64', []), 'arm64');
  assert.equal(
    nodeClass('amd64', [{ architecture: 'sm90' }, { architecture: 'gfx1030' }, { architecture: 'sm90' }]),
    'amd64+gfx1030+sm90',
  );
});

test('what is wrong with the devices of a run is told, and nothing of others', () => {
  const faults = (now: Device[], named = ['GPU-a']) => faultsOfDevices(named, [h100, second], now);
  assert.deepEqual(faults([second, h100]), []);
  assert.deepEqual(faults([second]), ['H100 (GPU-a) is gone']);
  assert.deepEqual(faults([{ ...h100, driver: '560.1' }]), [
    'the driver of H100 (GPU-a) was 550.54 and is 560.1',
  ]);
  assert.match(faults([{ ...h100, memoryBytes: 40e9 }])[0]!, /had 80000000000 bytes/);
  assert.deepEqual(faults([{ ...h100, faults: ['too hot'] }]), ['H100 (GPU-a): too hot']);
  // Its neighbour is gone, sick, or new: no affair of this run.
  assert.deepEqual(faults([h100]), []);
  assert.deepEqual(faults([h100, { ...second, faults: ['too hot'] }]), []);
  assert.deepEqual(faults([h100, second, { ...second, deviceId: 'GPU-c' }]), []);
  // Approved after the worker began: there is nothing to hold it against.
  assert.deepEqual(faults([h100, { ...second, deviceId: 'GPU-c' }], ['GPU-a', 'GPU-c']), []);
  assert.deepEqual(faults([h100, second], ['GPU-z']), ['GPU-z is not there']);
});
