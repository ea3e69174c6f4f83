// Asking the machine: its own tools stand for a vendor's.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { amd, gfxOf } from './amd.ts';
import { libraryFolders } from './libraries.ts';
import { openMachine } from './machine.ts';
import { nvidia } from './nvidia.ts';

const root = mkdtempSync(join(tmpdir(), 'retrain-machine-'));
after(() => rmSync(root, { recursive: true, force: true }));
const lay = (path: string, text = ''): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const machine = openMachine(root);

test('a tool that is not installed is none; one that fails or says too much is a fault of the device', async () => {
  assert.equal(await machine.ask('no-such-tool-of-any-vendor', []), null);
  assert.equal(await machine.ask('echo', ['said']), 'said\n');
  await assert.rejects(machine.ask('sh', ['-c', 'echo GPU is lost >&2; exit 9']), {
    code: 'device-fault',
    message: /GPU is lost/,
  });
  await assert.rejects(machine.ask('yes', []), { code: 'device-fault', message: /maxBuffer/ });
});

test('a driver without its tool is told, and no driver is no vendor', async () => {
  assert.equal(await nvidia.look(machine), null);
  lay('/proc/driver/nvidia/version', 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03');
  await assert.rejects(nvidia.look({ ...machine, ask: async () => null }), {
    code: 'tool-missing',
    hint: /Install nvidia-smi/,
  });
});

test('the architecture of AMD comes from the kernel, memory errors too', async () => {
  assert.deepEqual([90_010, 90_008, 90_402, 100_301, 110_000].map(gfxOf), [
    ...['gfx90a', 'gfx908', 'gfx942', 'gfx1031', 'gfx1100'],
  ]);
  const node = (n: number, fields: string) =>
    lay(`/sys/class/kfd/kfd/topology/nodes/${n}/properties`, fields);
  node(0, 'cpu_cores_count 64\nvendor_id 0\ngfx_target_version 0\n');
  // 0x8300: bus 83, device 0, function 0.
  node(1, 'simd_count 480\nvendor_id 4098\ndomain 0\nlocation_id 33536\ngfx_target_version 90010\n');
  lay('/sys/bus/pci/devices/0000:83:00.0/ras/umc_err_count', 'ue: 2\nce: 17\n');
  const rocmSmi = readFileSync(new URL('recordings/amd-mi100/rocm-smi.out', import.meta.url), 'utf8');
  const outputs = await amd.look({ ...machine, ask: async () => rocmSmi });
  const [first, second] = amd.read(outputs!, false);
  assert.equal(first!.device.architecture, 'gfx90a');
  assert.match(first!.device.faults.join(), /^2 uncorrected memory errors/);
  assert.deepEqual([second!.device.architecture, second!.device.faults], ['gfx908', []]);
});

test('libraries outside the system’s folders are shown and found, others need nothing', async () => {
  lay('/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1');
  assert.deepEqual(await libraryFolders(machine, ['libnvidia-ml.so.1']), { outside: [], environment: {} });
  lay('/usr/local/nvidia/lib64/libcuda.so.535.54.03');
  symlinkSync('libcuda.so.535.54.03', join(root, 'usr/local/nvidia/lib64/libcuda.so.1'));
  assert.deepEqual(await libraryFolders(machine, ['libcuda.so.1', 'libnvidia-ml.so.1']), {
    outside: ['/usr/local/nvidia/lib64'],
    environment: { LD_LIBRARY_PATH: '/usr/local/nvidia/lib64' },
  });
});
