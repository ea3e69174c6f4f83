// What a slot's run is given, with readings of recorded devices and a laid-out copy of the files that the kernel shows.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseWishes } from '@retraind/shared/gpu/wish';
import { Inventory, type InventorySource, replayedInventory } from './inventory.ts';
import { openMachine } from './machine.ts';
import { SlotDevices } from './slot-devices.ts';

const root = mkdtempSync(join(tmpdir(), 'retrain-machine-'));
after(() => rmSync(root, { recursive: true, force: true }));
const lay = (path: string, text = ''): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const machine = openMachine(root);
const recorded = (name: string): InventorySource =>
  replayedInventory(fileURLToPath(new URL(`recordings/${name}`, import.meta.url)));
/** The readings of a recording as if they were of this machine. */
const real = (name: string): InventorySource => ({ ...recorded(name), replayedFrom: null });
const need = (accelerators: string, gpus = 1, gpuMemoryBytes = 0) => ({
  accelerators: parseWishes(accelerators).wishes,
  gpus,
  gpuMemoryBytes,
});
/** To a run whose lease names these of the recorded devices, by their places. */
const give = async (source: InventorySource, places: number[], wanted: ReturnType<typeof need>) => {
  const inventory = await Inventory.open(source);
  const devices = new SlotDevices(inventory, machine);
  const deviceIds = places.map((place) => inventory.devices[place]!.deviceId);
  return devices.give(wanted, await devices.probe(deviceIds));
};
const targets = (nodes: readonly { source: string; target: string }[]) => {
  for (const { source, target } of nodes) assert.equal(source, join(root, target));
  return nodes.map(({ target }) => target);
};

test('a MIG slice is one slot: its own instance files and UUID, and no other slice', async () => {
  const base = '/proc/driver/nvidia/capabilities/gpu0/mig';
  lay(`${base}/gi1/access`, 'DeviceFileMinor: 12\nDeviceFileMode: 292\nDeviceFileModify: 1\n');
  lay(`${base}/gi1/ci0/access`, 'DeviceFileMinor: 13\nDeviceFileMode: 292\n');
  lay(`${base}/gi2/access`, 'DeviceFileMinor: 21\n');
  lay(`${base}/gi2/ci0/access`, 'DeviceFileMinor: 22\n');
  const given = await give(real('nvidia-a100-mig'), [1], need('cuda:sm_80 | none'));
  assert.equal(given.accelerator, 'cuda:sm_80');
  assert.deepEqual(targets(given.grant.nodes), [
    '/dev/nvidiactl',
    '/dev/nvidia-uvm',
    '/dev/nvidia0',
    '/dev/nvidia-caps/nvidia-cap21',
    '/dev/nvidia-caps/nvidia-cap22',
  ]);
  assert.equal(
    given.grant.environment.CUDA_VISIBLE_DEVICES,
    'MIG-GPU-27b94a00-ed54-5c24-b1fd-1054085de32a/2/0',
  );
  assert.deepEqual(given.taints, ['non-free-accelerator']);
  assert.match(given.deviceText, /^NVIDIA A100-SXM4-40GB MIG 2\/0 \(MIG-GPU-/);
  await assert.rejects(give(real('nvidia-a100-mig'), [0, 1], need('cuda', 2)), {
    code: 'does-not-fit',
    message: /only slices there/,
  });
});

test('two GPUs of AMD: kfd and their own render nodes, named by their UUIDs', async () => {
  for (const [address, node] of [
    ['0000:83:00.0', 'renderD128'],
    ['0000:a3:00.0', 'renderD129'],
    ['0000:c3:00.0', 'renderD130'],
    ['0000:e3:00.0', 'renderD131'],
  ]) {
    lay(`/sys/bus/pci/devices/${address}/drm/${node}/dev`, '226:128\n');
  }
  const given = await give(real('amd-mi100'), [1, 3], need('rocm:gfx908', 2, 2 ** 34));
  assert.deepEqual(targets(given.grant.nodes), ['/dev/kfd', '/dev/dri/renderD129', '/dev/dri/renderD131']);
  assert.equal(given.grant.environment.ROCR_VISIBLE_DEVICES, 'GPU-04edfb117a17a07d,GPU-1b9dd972253c3736');
  assert.equal(given.grant.environment.CUDA_VISIBLE_DEVICES, '');
  assert.deepEqual(given.taints, []);
  assert.ok(given.grant.readable.includes('/sys/bus/pci/devices'));
});

test('an Intel device: its render node; one whose node is gone is a fault of the node', async () => {
  lay('/sys/bus/pci/devices/0000:29:00.0/drm/renderD140/dev', '226:140\n');
  const given = await give(real('intel-max-1100'), [0], need('vulkan'));
  assert.deepEqual(targets(given.grant.nodes), ['/dev/dri/renderD140']);
  assert.equal(given.grant.environment.ZE_AFFINITY_MASK, '0');
  await assert.rejects(give(real('intel-max-1100'), [1], need('vulkan')), { code: 'device-fault' });
});

test('a CPU run of a machine with GPUs is given none of them', async () => {
  const given = await give(real('nvidia-rtx-3090'), [0], need('rocm:gfx90a | none'));
  assert.equal(given.accelerator, 'none');
  assert.deepEqual(given.grant, {
    nodes: [],
    readable: [],
    environment: { CUDA_VISIBLE_DEVICES: '', ROCR_VISIBLE_DEVICES: '' },
  });
  assert.equal(given.deviceText, 'cpu');
  await assert.rejects(give(real('nvidia-rtx-3090'), [0], need('cuda:sm_90')), {
    code: 'does-not-fit',
    message: /capability 9\.0 wanted, 8\.6 there/,
  });
});

test('a replayed inventory gives no device and taints the run, also one that wanted none', async () => {
  const given = await give(recorded('nvidia-t4'), [0], need('cuda'));
  assert.equal(given.accelerator, 'none');
  assert.deepEqual([given.grant.nodes, given.devices], [[], []]);
  assert.deepEqual(given.taints, ['replayed-inventory']);
  assert.match(given.deviceText, /^cpu, for Tesla T4 \(GPU-.*\) of the replayed inventory nvidia-t4$/);
  assert.deepEqual((await give(recorded('nvidia-t4'), [0], need('none'))).taints, ['replayed-inventory']);
});

test('a device that went, or got sick, since the worker began stops the run; a sick neighbour does not', async () => {
  const all = await real('amd-mi100').take();
  let now = all;
  const ids = all.map(({ device }) => device.deviceId);
  const inventory = await Inventory.open({ replayedFrom: null, take: async () => now });
  const devices = (place: number) => new SlotDevices(inventory, machine).probe([ids[place]!]);
  assert.equal((await devices(3)).length, 1);
  now = all.slice(0, 3);
  await assert.rejects(devices(3), { code: 'device-fault', message: /GPU-1b9dd972253c3736\) is gone/ });
  now = all.map((reading, i) =>
    i === 1
      ? { ...reading, device: { ...reading.device, faults: ['7 uncorrected memory errors'] } }
      : reading,
  );
  await assert.rejects(devices(1), { code: 'device-fault', message: /7 uncorrected/ });
  assert.equal((await devices(2)).length, 1);
});

test('a run gets the devices that its lease names and no other that the machine has, wherever it stands', async () => {
  const [first, second, third] = await real('amd-mi100').take();
  // The one that nobody approved comes first, is smaller and so would be taken first.
  const stranger = { ...first!, device: { ...first!.device, memoryBytes: 2 ** 34 } };
  const inventory = await Inventory.open({
    replayedFrom: null,
    take: async () => [stranger, second!, third!],
  });
  const devices = new SlotDevices(inventory, machine);
  const given = await devices.give(need('rocm:gfx908'), await devices.probe([second!.device.deviceId]));
  assert.deepEqual(
    given.devices.map(({ deviceId }) => deviceId),
    [second!.device.deviceId],
  );
  assert.equal(given.grant.environment.ROCR_VISIBLE_DEVICES, second!.device.deviceId);
  // Not enough of them: no other one is taken to make it two.
  await assert.rejects(
    async () => devices.give(need('rocm:gfx908', 2), await devices.probe([second!.device.deviceId])),
    { code: 'does-not-fit', message: /2 devices wanted, 1 there/ },
  );
  const cpu = await devices.give(need('rocm:gfx908 | none'), await devices.probe([]));
  assert.deepEqual([cpu.accelerator, cpu.devices], ['none', []]);
  await assert.rejects(devices.probe(['GPU-of-another-machine']), {
    code: 'device-fault',
    message: /GPU-of-another-machine is not there/,
  });
});

test('a machine that cannot be asked has its devices, all with that fault; asked again, it is well', async () => {
  let broken = false;
  let clock = 0;
  const source = {
    replayedFrom: null,
    take: async () => {
      if (broken) throw new Error('nvidia-smi -q -x fails: Unable to determine the device handle');
      return real('nvidia-t4').take();
    },
  };
  const inventory = await Inventory.open(source, () => clock);
  broken = true;
  assert.deepEqual((await inventory.current())[0]!.faults, []);
  clock += 61_000;
  assert.match((await inventory.current())[0]!.faults.join(), /Unable to determine/);
  broken = false;
  clock += 61_000;
  assert.deepEqual((await inventory.current())[0]!.faults, []);
});
