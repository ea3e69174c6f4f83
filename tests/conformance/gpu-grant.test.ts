// What a slot's run is granted, seen from inside the sandbox: the device files of its own slice, its library, its variables, and
// no file of the neighbour's. The readings are those of a recorded A100 in two slices; the files stand for a driver's: they have
// the numbers of /dev/null, whose driver every machine has.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseWishes } from '@retraind/shared/gpu/wish';
import { Inventory, replayedInventory } from '../../apps/worker/src/gpu/inventory.ts';
import { openMachine } from '../../apps/worker/src/gpu/machine.ts';
import { SlotDevices } from '../../apps/worker/src/gpu/slot-devices.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';

const root = mkdtempSync(join(tmpdir(), 'retrain-grant-'));
// The sandbox's user passes through it.
chmodSync(root, 0o755);
after(() => rmSync(root, { recursive: true, force: true }));
const recording = fileURLToPath(
  new URL('../../apps/worker/src/gpu/recordings/nvidia-a100-mig', import.meta.url),
);

/** Why device files cannot be made here; null where they can. */
function layMachine(): string | null {
  const lay = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [instance, minor] of [
    [1, 12],
    [2, 21],
  ] as const) {
    const base = `/proc/driver/nvidia/capabilities/gpu0/mig/gi${instance}`;
    lay(`${base}/access`, `DeviceFileMinor: ${minor}\n`);
    lay(`${base}/ci0/access`, `DeviceFileMinor: ${minor + 1}\n`);
  }
  mkdirSync(join(root, 'dev/nvidia-caps'), { recursive: true });
  try {
    const files = [
      'nvidia0',
      'nvidia1',
      'nvidiactl',
      'nvidia-uvm',
      ...[12, 13, 21, 22].map((n) => `nvidia-caps/nvidia-cap${n}`),
    ];
    for (const file of files) {
      execFileSync('mknod', ['-m', '0666', join(root, 'dev', file), 'c', '1', '3'], { stdio: 'pipe' });
    }
    readFileSync(join(root, 'dev/nvidia0'));
    return null;
  } catch (error) {
    return `no device file can be made or opened here: ${(error as Error).message.trim()}`;
  }
}

const refusal =
  layMachine() ??
  (await openSandbox('bwrap')
    .check()
    .then(
      () => null,
      (problem: Error) => problem.message,
    ));

test('a run of one slot reaches its own slice, and nothing of the other', {
  skip: refusal ?? false,
}, async () => {
  const inventory = await Inventory.open({ ...replayedInventory(recording), replayedFrom: null });
  for (const [slot, own, foreign] of [
    [0, [12, 13], [21, 22]],
    [1, [21, 22], [12, 13]],
  ] as const) {
    const devices = new SlotDevices(inventory, openMachine(root));
    const need = { accelerators: parseWishes('cuda:sm_80').wishes, gpus: 1, gpuMemoryBytes: 2 ** 34 };
    const { grant, accelerator } = await devices.give(
      need,
      await devices.probe([inventory.devices[slot]!.deviceId]),
    );
    const out = join(root, `out-${slot}`);
    mkdirSync(out);
    let said = '';
    const ending = await openSandbox('bwrap').run({
      argv: [
        '/bin/sh',
        '-c',
        'cd /dev; for f in nvidia* nvidia-caps/*; do [ -c $f ] && echo x > $f && echo $f; done; echo $CUDA_VISIBLE_DEVICES',
      ],
      env: { PATH: '/usr/bin:/bin', RETRAIN_ACCELERATOR: accelerator, ...grant.environment },
      cwd: '/build/out',
      mounts: [
        { source: out, target: '/build/out', writable: true },
        ...grant.readable.map((path) => ({ source: path, target: path, writable: false })),
      ],
      devices: grant.nodes,
      hidden: [],
      limits: { seconds: 20, silenceSeconds: 20, logBytes: 65_536, diskBytes: 2 ** 20, memoryBytes: 2 ** 28 },
      signsOfLife: [],
      onOutput: (chunk) => {
        said += chunk.toString();
      },
      signal: new AbortController().signal,
    });
    assert.deepEqual([ending.reason, ending.exitCode], ['exited', 0], said);
    assert.deepEqual(said.trim().split('\n').sort(), [
      `MIG-GPU-27b94a00-ed54-5c24-b1fd-1054085de32a/${slot + 1}/0`,
      ...own.map((n) => `nvidia-caps/nvidia-cap${n}`),
      'nvidia-uvm',
      'nvidia0',
      'nvidiactl',
    ]);
    for (const n of foreign) assert.doesNotMatch(said, new RegExp(`cap${n}`));
  }
});
