import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Accelerator } from './accelerator.ts';
import { classOf, parseClass, printClass } from './class.ts';

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
    ['amd64', [vulkan], 'amd64'],
    ['arm64', [], 'arm64'],
  ] as const) {
    assert.equal(classOf(machine, devices), expected);
    assert.equal(classOf(machine, [...devices].reverse()), expected);
  }
});

test('what is no class is refused', () => {
  for (const text of ['', '+sm90', 'amd64+', 'amd64+sm90+x', 'AMD64', 'amd64+sm_90', 'amd64+gfx', 'a b']) {
    assert.equal(parseClass(text), null, text);
  }
});

test('what is printed reads back the same', () => {
  const anyClass = fc.record({
    machine: fc.constantFrom('amd64', 'arm64', 'ppc64el', 'kfreebsd-amd64'),
    architecture: fc.constantFrom(null, 'sm75', 'sm120', 'gfx90a', 'gfx1030'),
  });
  fc.assert(fc.property(anyClass, (one) => assert.deepEqual({ ...parseClass(printClass(one)) }, { ...one })));
});
