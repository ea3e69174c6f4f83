// What every vendor's adapter must keep, over outputs that were recorded on real devices and published. No recording was made
// up; `recording.json` beside each says where it comes from.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { acceleratorsOf } from '@retraind/shared/gpu/device';
import { DeviceShape } from '@retraind/shared/wire/messages';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { replayedInventory } from '../../apps/worker/src/gpu/inventory.ts';
import { readRecording } from '../../apps/worker/src/gpu/recording.ts';
import { vendors } from '../../apps/worker/src/gpu/vendor.ts';

const folder = fileURLToPath(new URL('../../apps/worker/src/gpu/recordings/', import.meta.url));
const mib = 2 ** 20;

/** What each recording says, read by a person. */
const expected: Record<string, { ways: string[]; of: [string, string, number][] }> = {
  'nvidia-a100-mig': {
    ways: ['cuda', 'cuda'],
    of: [
      ['MIG-GPU-27b94a00-ed54-5c24-b1fd-1054085de32a/1/0', 'sm80', 19_968 * mib],
      ['MIG-GPU-27b94a00-ed54-5c24-b1fd-1054085de32a/2/0', 'sm80', 19_968 * mib],
    ],
  },
  'nvidia-t4': {
    ways: ['cuda', 'vulkan'],
    of: [['GPU-d37e67a5-91dd-3774-a5cb-99096249601a', 'sm75', 15_360 * mib]],
  },
  // Its PCI id was made illegible, so nobody can say what it can do.
  'nvidia-a10g': {
    ways: ['vulkan'],
    of: [['GPU-9a9a6c50-2a47-2f51-a902-b82c3b127e94', 'pci00de0000', 23_028 * mib]],
  },
  'nvidia-rtx-3090': {
    ways: ['cuda', 'vulkan'],
    of: [['GPU-12345678-aaaa-bbbb-cccc-0123456789ab', 'sm86', 24_576 * mib]],
  },
  'amd-rx-6700-xt': { ways: ['rocm', 'vulkan'], of: [['0000:07:00.0', 'gfx1031', 12_868_124_672]] },
  'amd-mi100': {
    ways: ['rocm', 'vulkan', 'rocm', 'vulkan', 'rocm', 'vulkan', 'rocm', 'vulkan'],
    of: [
      ['GPU-79ccd55167a2124a', 'gfx908', 34_342_961_152],
      ['GPU-04edfb117a17a07d', 'gfx908', 34_342_961_152],
      ['GPU-d4a9ec48d03d261d', 'gfx908', 34_342_961_152],
      ['GPU-1b9dd972253c3736', 'gfx908', 34_342_961_152],
    ],
  },
  'intel-max-1100': {
    ways: ['vulkan', 'vulkan'],
    of: [
      ['0000:29:00.0', 'pci80860bda', 51_522_830_336],
      ['0000:9a:00.0', 'pci80860bda', 0],
    ],
  },
};

const recordings = readdirSync(folder);
const page = readFileSync(new URL('../../docs/reference/gpu-vendors.md', import.meta.url), 'utf8');

test('each recording is expected, and names where it comes from, as the reference does', () => {
  assert.deepEqual(recordings, Object.keys(expected).sort());
  for (const name of recordings) {
    const { origin, device, leftOut } = readRecording(join(folder, name)).recording;
    assert.match(origin.repository, /^https:\/\/github\.com\/[\w-]+\/[\w-]+$/);
    assert.match(origin.commit, /^[0-9a-f]{40}$/);
    for (const text of [origin.path, origin.licence, device, leftOut]) assert.ok(text.length > 2, name);
    const line = page.split('\n').find((one) => one.startsWith(`| \`${name}\` |`)) ?? '';
    for (const text of [device, origin.path, origin.commit.slice(0, 12)])
      assert.ok(line.includes(text), name);
  }
});

test('every vendor with devices has a recording', () => {
  const recorded = new Set(recordings.map((name) => readRecording(join(folder, name)).recording.vendor));
  assert.deepEqual(
    vendors.flatMap(({ name }) => (name === 'none' ? [] : [name])).sort(),
    [...recorded].sort(),
  );
});

for (const name of recordings) {
  const { recording, outputs } = readRecording(join(folder, name));
  const vendor = vendors.find((one) => one.name === recording.vendor)!;
  suite(`${recording.vendor}: ${recording.device}`, () => {
    test('is read as it is, in the shape that the farm takes', async () => {
      const source = replayedInventory(join(folder, name));
      assert.equal(source.replayedFrom, name);
      const devices = (await source.take()).map(({ device }) => device);
      assert.deepEqual(
        devices.map(({ deviceId, architecture, memoryBytes }) => [deviceId, architecture, memoryBytes]),
        expected[name]!.of,
      );
      assert.deepEqual(
        acceleratorsOf(devices).map(({ kind }) => kind),
        expected[name]!.ways,
      );
      for (const device of devices) {
        assert.ok(Value.Check(DeviceShape, device), JSON.stringify(device));
        assert.equal(device.vendor, recording.vendor);
        assert.deepEqual(device.faults, []);
      }
      assert.equal(new Set(devices.map(({ deviceId }) => deviceId)).size, devices.length);
    });

    test('cut off anywhere, it is refused', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(outputs)),
          fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          (output, share) => {
            const text = outputs[output]!.trimEnd();
            const cut = { ...outputs, [output]: text.slice(0, Math.floor(text.length * share)) };
            assert.throws(() => vendor.read(cut, true), { code: 'invalid-inventory' });
          },
        ),
        { numRuns: 60 },
      );
    });

    test('whatever number stands in a field, a device fits the shape or is refused', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(outputs)),
          fc.nat(),
          fc.constantFrom('-1', 'NaN', '1e999', '99999999999999999999', '-0.5', '\u0000', '../..', ''),
          (output, seed, lie) => {
            // One number between a mark that ends a name and one that ends a value.
            const numbers = [...outputs[output]!.matchAll(/(?<=[>"(:] ?)-?\d+(?:\.\d+)?(?=[ "<,])/g)];
            const one = numbers[seed % numbers.length]!;
            const text = outputs[output]!;
            const changed = text.slice(0, one.index) + lie + text.slice(one.index + one[0].length);
            try {
              for (const { device } of vendor.read({ ...outputs, [output]: changed }, true)) {
                assert.ok(Value.Check(DeviceShape, device), JSON.stringify(device));
              }
            } catch (error) {
              assert.equal((error as { code?: string }).code, 'invalid-inventory', String(error));
            }
          },
        ),
        { numRuns: 200 },
      );
    });
  });
}

suite('hostile and sick outputs', () => {
  const t4 = readRecording(join(folder, 'nvidia-t4')).outputs.query!;
  const read = (query: string, more: Record<string, string> = {}) =>
    vendors.find(({ name }) => name === 'nvidia')!.read({ query, ...more }, false);
  const refused = (query: string, message: RegExp) =>
    assert.throws(() => read(query), { code: 'invalid-inventory', message });

  test('negative memory, NaN, a foreign unit, another number of GPUs', () => {
    refused(t4.replace('15360 MiB', '-15360 MiB'), /memory is `-15360 MiB`/);
    refused(t4.replace('15360 MiB', 'NaN MiB'), /memory is `NaN MiB`/);
    refused(t4.replace('15360 MiB', '15360 GiB'), /memory is `15360 GiB`/);
    refused(t4.replace('15360 MiB', '9999999999999 MiB'), /memory/);
    refused(t4.replace('<attached_gpus>1', '<attached_gpus>2'), /says 2 GPUs and describes 1/);
    refused(t4.replace(/<uuid>.*<\/uuid>/, '<uuid>GPU-0;rm -rf /</uuid>'), /uuid is/);
  });

  test('too large, too deep, entities, an empty text', () => {
    refused(`<a>${'x'.repeat(17 * 2 ** 20)}</a>`, /more than 16777216 bytes/);
    refused(`<nvidia_smi_log>${'<a>'.repeat(500)}${'</a>'.repeat(500)}</nvidia_smi_log>`, /cannot be read/);
    refused('', /XML/);
    const bomb = `<!DOCTYPE x [<!ENTITY a "${'ha'.repeat(100)}"><!ENTITY b "${'&a;'.repeat(1_000)}">]>`;
    const [reading] = read(t4.replace(/<!DOCTYPE.*>/, bomb).replace('Tesla T4', '&b;'));
    assert.equal(reading!.device.name, '&b;');
  });

  test('uncorrected errors, a pending repair and heat are faults: nothing is offered', () => {
    const faultsOf = (query: string) => {
      const [{ device }] = read(query) as [ReturnType<typeof read>[0]];
      assert.deepEqual(acceleratorsOf([device]), []);
      return device.faults.join();
    };
    const broken = '<dram_uncorrectable>3</dram_uncorrectable>';
    assert.match(
      faultsOf(t4.replace('<dram_uncorrectable>0</dram_uncorrectable>', broken)),
      /^3 uncorrected memory errors/,
    );
    const pending = t4.replace('<pending_retirement>No', '<pending_retirement>Yes');
    assert.match(faultsOf(pending), /waits to be retired/);
    assert.match(faultsOf(t4.replace('<gpu_temp>40 C', '<gpu_temp>94 C')), /94 °C/);
    const reset = '<gpu_recovery_action>Reset</gpu_recovery_action><pci>';
    assert.match(faultsOf(t4.replace('<pci>', reset)), /asks for: Reset/);
  });

  test('the driver’s own word on capability and slices goes before tables', () => {
    const a100 = readRecording(join(folder, 'nvidia-a100-mig')).outputs.query!;
    const uuid = 'GPU-27b94a00-ed54-5c24-b1fd-1054085de32a';
    const readings = read(a100, {
      capabilities: `${uuid}, 8.7\n`,
      list: `GPU 0: NVIDIA A100-SXM4-40GB (UUID: ${uuid})\n  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)\n`,
    });
    assert.deepEqual(
      readings.map(({ device }) => [device.deviceId, device.architecture, device.name]),
      [
        ['MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f', 'sm87', 'NVIDIA A100-SXM4-40GB MIG 3g.20gb'],
        [`MIG-${uuid}/2/0`, 'sm87', 'NVIDIA A100-SXM4-40GB MIG 2/0'],
      ],
    );
  });
});
