// What the farm makes of what nodes say: inventories compared, tags with their provenance, protocols, states.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from '../gpu/device.ts';
import { inventoryFaults, type MachineInventory, newDevices, usableAccelerators } from './inventory.ts';
import { leastProtocol, protocol, protocolFault } from './protocol.ts';
import { nodeMayMove, nodeStates } from './states.ts';
import { countingTags, type NodeTag, probedTags, restated, withSet } from './tags.ts';

const device = (ordinal: number, change: Partial<Device> = {}): Device => ({
  deviceId: `GPU-${ordinal}`,
  vendor: 'nvidia',
  name: 'A100',
  architecture: 'sm80',
  memoryBytes: 80 * 2 ** 30,
  driver: '535.54.03',
  runtime: '12.2',
  sliceOf: null,
  vulkan: false,
  faults: [],
  temperatureCelsius: 30,
  energy: 'sampled',
  ...change,
});
const machine = (change: Partial<MachineInventory> = {}): MachineInventory => ({
  devices: [device(0), device(1)],
  replayedFrom: null,
  program: 'test',
  cores: 8,
  memoryBytes: 64 * 2 ** 30,
  ...change,
});

test('less than approved is a fault that names the device; the same and more is none', () => {
  const approved = machine();
  const cases: [MachineInventory, RegExp[]][] = [
    [machine(), []],
    [machine({ devices: [device(1), device(2), device(0)], program: 'newer', cores: 4 }), []],
    [machine({ memoryBytes: 63.5 * 2 ** 30 }), []],
    [machine({ devices: [device(1)] }), [/^A100 \(GPU-0\) is gone$/]],
    [machine({ devices: [] }), [/GPU-0/, /GPU-1/]],
    [
      machine({ devices: [device(0), device(1, { driver: '550.1' })] }),
      [/driver of A100 \(GPU-1\) was 535.54.03 and is 550.1/],
    ],
    [machine({ devices: [device(0), device(1, { driver: null })] }), [/is none/]],
    [
      machine({ devices: [device(0), device(1, { memoryBytes: 40 * 2 ** 30 })] }),
      [/had 80.0 GiB of memory and has 40.0 GiB/],
    ],
    [machine({ devices: [device(0), device(1, { memoryBytes: 96 * 2 ** 30 })] }), []],
    [machine({ memoryBytes: 32 * 2 ** 30 }), [/main memory was 64.0 GiB and is 32.0 GiB/]],
    [machine({ replayedFrom: 'a100.xml' }), [/were real and are replayed from a100.xml/]],
  ];
  for (const [reported, wanted] of cases) {
    const faults = inventoryFaults(approved, reported);
    assert.equal(faults.length, wanted.length, faults.join('; '));
    for (const [i, pattern] of wanted.entries()) assert.match(faults[i]!, pattern);
  }
});

test('a device that nobody approved is shown and not used, one with a fault not used either', () => {
  const reported = machine({ devices: [device(2), device(0), device(1, { faults: ['ECC'] })] });
  assert.deepEqual(
    newDevices(machine(), reported).map(({ deviceId }) => deviceId),
    ['GPU-2'],
  );
  // The place is the one that was approved, whatever came before it: no device moves to another slot.
  assert.deepEqual(
    usableAccelerators(machine(), reported).map((way) => way.device),
    [{ deviceId: 'GPU-0', ordinal: 0 }],
  );
  assert.deepEqual(usableAccelerators(null, reported), []);
});

test('tags keep who says them and since when; a claim attracts no work', () => {
  const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
  let tags: NodeTag[] = restated([], 'claimed', ['embargoed', 'scratch'], 'node-1', at(1));
  tags = restated(tags, 'probed', probedTags(machine({ replayedFrom: 'a.xml' })), 'farm', at(1));
  assert.deepEqual(
    countingTags(tags).map(({ tag }) => tag),
    ['cuda:sm_80', 'replayed', 'vendor:nvidia'],
  );
  tags = withSet(tags, { add: [{ tag: 'scratch', mandatory: true }], remove: [] }, 'ada', at(2));
  assert.deepEqual(
    tags
      .filter(({ tag }) => tag === 'scratch')
      .map(({ provenance, by, mandatory }) => [provenance, by, mandatory]),
    [
      ['claimed', 'node-1', false],
      ['set', 'ada', true],
    ],
  );
  tags = restated(tags, 'claimed', ['scratch'], 'node-1', at(3));
  assert.equal(
    tags.find(({ provenance }) => provenance === 'claimed')?.at,
    at(1),
    'said since the first day',
  );
  assert.ok(!tags.some(({ tag }) => tag === 'embargoed'), 'a claim that is not repeated goes');
  assert.deepEqual(
    countingTags(tags).find(({ tag }) => tag === 'scratch'),
    { tag: 'scratch', mandatory: true },
  );
  tags = withSet(tags, { add: [], remove: ['scratch'] }, 'ada', at(4));
  assert.ok(!countingTags(tags).some(({ tag }) => tag === 'scratch'));
});

test('an older and a newer protocol are refused, each with its cure', () => {
  assert.equal(protocolFault(protocol, '0.1.0'), null);
  assert.equal(protocolFault(leastProtocol, null), null);
  assert.match(protocolFault(leastProtocol - 1, '0.0.9') ?? '', /0\.0\.9.*upgrade the node/);
  assert.match(protocolFault(protocol + 1, null) ?? '', /unnamed.*upgrade the farm first/);
});

test('nothing leaves retired, and only approved nodes are drained or quarantined', () => {
  for (const to of nodeStates) assert.equal(nodeMayMove('retired', to), false);
  for (const from of nodeStates.filter((state) => state !== 'retired'))
    assert.equal(nodeMayMove(from, 'retired'), true);
  assert.equal(nodeMayMove('pending', 'drained'), false);
  assert.equal(nodeMayMove('quarantined', 'drained'), false);
});
