import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Accelerator } from './accelerator.ts';
import { classFor, classOf } from './class.ts';
import { parseWishes } from './wish.ts';

const of = { name: 'x', memoryBytes: 1 };
const h100: Accelerator = { kind: 'cuda', capability: 90, ...of };
const t4: Accelerator = { kind: 'cuda', capability: 75, ...of };
const w6800: Accelerator = { kind: 'rocm', architecture: 'gfx1030', ...of };
const vulkan: Accelerator = { kind: 'vulkan', ...of };

test('the class names the machine and the architecture that says most', () => {
  for (const [machine, devices, expected] of [
    ['amd64', [h100], 'amd64+sm90'],
    ['amd64', [t4, h100, w6800], 'amd64+sm90'],
    ['amd64', [vulkan, w6800], 'amd64+gfx1030'],
    ['amd64', [vulkan], 'amd64+vulkan'],
    ['arm64', [], 'arm64'],
  ] as const) {
    assert.equal(classOf(machine, devices), expected);
    assert.equal(classOf(machine, [...devices].reverse()), expected);
  }
});

test('a run computes in the class of the devices that it is given, not of all that the slot has', () => {
  const need = (wishes: string, gpuMemoryBytes = 0) => ({
    accelerators: parseWishes(wishes).wishes,
    gpus: 1,
    gpuMemoryBytes,
  });
  const large = { ...h100, memoryBytes: 2 };
  for (const [wanted, devices, expected] of [
    [need('cuda:sm_90 | none'), [t4, h100], 'amd64+sm90'],
    [need('cuda'), [t4, large], 'amd64+sm75'],
    [need('cuda', 2), [t4, large], 'amd64+sm90'],
    [need('rocm:gfx90a | none'), [h100], 'amd64'],
    [need('none'), [h100], 'amd64'],
    [need('vulkan | none'), [vulkan], 'amd64+vulkan'],
    [need('rocm:gfx90a'), [h100], 'amd64+sm90'],
  ] as const) {
    assert.equal(classFor('amd64', wanted, devices), expected);
  }
  // By Vulkan, of a device whose architecture another interface tells.
  const device = { deviceId: 'GPU-1', ordinal: 0 };
  const both = [
    { ...vulkan, device },
    { ...h100, device },
  ];
  assert.equal(classFor('amd64', need('vulkan'), both), 'amd64+sm90');
});
