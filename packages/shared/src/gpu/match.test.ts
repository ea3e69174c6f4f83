import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Accelerator, AcceleratorWish } from './accelerator.ts';
import { matchSlot, mismatch } from './match.ts';
import { parseWishes, printWishes } from './wish.ts';

const gib = 2 ** 30;
const a100: Accelerator = { kind: 'cuda', capability: 80, name: 'NVIDIA A100', memoryBytes: 40 * gib };
const t4: Accelerator = { kind: 'cuda', capability: 75, name: 'Tesla T4', memoryBytes: 16 * gib };
const mi210: Accelerator = { kind: 'rocm', architecture: 'gfx90a', name: 'MI210', memoryBytes: 64 * gib };
const need = (text: string, gpus = 1, gpuMemoryBytes = 0) => {
  const { wishes, faults } = parseWishes(text);
  assert.deepEqual(faults, []);
  return { accelerators: wishes, gpus, gpuMemoryBytes };
};

test('the first alternative that fits is taken', () => {
  for (const [text, devices, taken] of [
    ['cuda:sm_80 | none', [a100], 0],
    ['cuda:sm_80 | none', [t4], 1],
    ['cuda:sm_75', [a100], 0],
    ['cuda', [t4], 0],
    ['rocm:gfx90a | cuda:sm_70', [t4, mi210], 0],
    ['rocm:gfx1030 | cuda:sm_70', [t4, mi210], 1],
    ['none', [], 0],
  ] as const) {
    const match = matchSlot(need(text), devices);
    assert.equal(match.fits && match.alternative, taken, text);
  }
});

test('a run of several devices has no slices', () => {
  const slice = (ordinal: number): Accelerator => ({
    ...a100,
    device: { deviceId: `MIG-${ordinal}`, ordinal, isSlice: true },
  });
  assert.ok(matchSlot(need('cuda'), [slice(0), slice(1)]).fits);
  assert.ok(!matchSlot(need('cuda', 2), [slice(0), slice(1)]).fits);
  assert.match(mismatch(need('cuda', 2), [slice(0), slice(1)]), /2 devices wanted, and only slices there/);
  const match = matchSlot(need('cuda', 2), [slice(0), a100, a100]);
  assert.deepEqual(match.fits && match.devices, [a100, a100]);
});

test('the smallest devices that do are taken', () => {
  const small: Accelerator = { ...a100, name: 'MIG 2g.20gb', memoryBytes: 20 * gib };
  const match = matchSlot(need('cuda:sm_80', 1, 8 * gib), [a100, small]);
  assert.deepEqual(match.fits && match.devices, [small]);
});

test('a refusal says what is wanted, what is there, and what is lacking', () => {
  for (const [text, gpus, memory, devices, reason] of [
    ['cuda:sm_80', 1, 0, [], /wants cuda:sm_80; the slot has no accelerator/],
    ['cuda:sm_80', 1, 0, [t4], /capability 8\.0 wanted, 7\.5 there/],
    ['cuda', 2, 0, [t4], /2 devices wanted, 1 there/],
    ['cuda', 1, 32 * gib, [t4], /32\.0 GiB of device memory wanted, 16\.0 GiB there/],
    ['rocm:gfx1030 | vulkan', 1, 0, [mi210], /rocm:gfx1030: no such device; vulkan: no such device/],
  ] as const) {
    const wanted = need(text, gpus, memory);
    assert.ok(!matchSlot(wanted, devices).fits);
    assert.match(mismatch(wanted, devices), reason);
  }
});

test('alternatives that cannot be read are named', () => {
  const { wishes, faults } = parseWishes('cuda:80 | rocm | none | none | cuda:sm_90a |');
  assert.deepEqual(wishes, [{ kind: 'none' }]);
  assert.equal(faults.length, 5);
  assert.match(faults[0]!, /cuda:80/);
});

const wish: fc.Arbitrary<AcceleratorWish> = fc.oneof(
  fc
    .integer({ min: 10, max: 999 })
    .map((minimumCapability) => ({ kind: 'cuda' as const, minimumCapability })),
  fc
    .constantFrom('gfx90a', 'gfx1030', 'gfx942')
    .map((architecture) => ({ kind: 'rocm' as const, architecture })),
  fc.constantFrom({ kind: 'vulkan' as const }, { kind: 'none' as const }),
);

test('what is printed reads back the same', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(wish, { minLength: 1, maxLength: 5, selector: (one) => JSON.stringify(one) }),
      (wishes) => assert.deepEqual(parseWishes(printWishes(wishes)), { wishes, faults: [] }),
    ),
  );
});
