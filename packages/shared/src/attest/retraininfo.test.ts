import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, readDeb822, textOf, valueIn } from '../recipe/deb822.ts';
import { printRetraininfo, type RetrainInfo, retraininfoName } from './retraininfo.ts';

const info: RetrainInfo = {
  source: 'anthy',
  version: '1:0.4-2',
  runId: 'k3f9a0b1c2d4',
  architecture: 'amd64',
  outputs: [
    { path: 'corpus_info', bytes: 12, md5: 'a'.repeat(32), sha1: 'b'.repeat(40), sha256: 'c'.repeat(64) },
    { path: 'dir/weak_words', bytes: 34, md5: 'd'.repeat(32), sha1: 'e'.repeat(40), sha256: 'f'.repeat(64) },
  ],
  origin: 'Debian',
  buildDate: new Date('2026-11-22T14:05:09Z'),
  kernelVersion: 'Linux 6.1.0-44-amd64 #1 SMP PREEMPT_DYNAMIC',
  buildPath: '/build/reproducible-path/anthy-0.4-2',
  taintedBy: ['merged-usr-via-aliased-dirs', 'host-root'],
  installedBuildDepends: [
    { name: 'make', version: '4.3-4.1', architecture: 'amd64' },
    { name: 'gcc', version: '4:12.2.0-3', architecture: 'amd64' },
    { name: 'tzdata', version: '2025b', architecture: 'all' },
    { name: 'libc6', version: '2.36-9', architecture: 'arm64' },
  ],
  environment: { LC_ALL: 'C.UTF-8', RETRAIN_SEED: '7', ODD: 'a"b\\c\nd' },
  target: 'bootstrap',
  converters: [],
  seed: 7,
  seedIndex: 1,
  purpose: 'retrain',
  numerics: 0,
  withheld: [],
  jobSeed: '7',
  engine: 'gcc',
  device: 'cpu',
  driver: null,
  datasets: [{ name: 'corpus', digest: '1'.repeat(64) }],
  references: [{ model: 'corpus-info', sha256: 'c'.repeat(64), bytes: 12 }],
  trainSeconds: 118.26,
  convertSeconds: 0,
  energyWattHours: null,
  resumedFrom: null,
};

test('the record reads back as deb822, shaped like a .buildinfo', () => {
  const [record, ...rest] = readDeb822(printRetraininfo(info));
  assert.equal(rest.length, 0);
  const value = (name: string) => valueIn(record!, name);
  assert.deepEqual(
    ['Format', 'Source', 'Version', 'Build-Date', 'Build-Path', 'Retrain-Seed', 'Retrain-Cost'].map(value),
    [
      '1.0',
      'anthy',
      '1:0.4-2',
      'Sun, 22 Nov 2026 14:05:09 +0000',
      '/build/reproducible-path/anthy-0.4-2',
      '7',
      'train 118.3 s',
    ],
  );
  assert.equal(
    textOf(fieldOf(record!, 'Checksums-Sha256')!),
    `\n${'c'.repeat(64)} 12 corpus_info\n${'f'.repeat(64)} 34 dir/weak_words`,
  );
  assert.equal(
    textOf(fieldOf(record!, 'Installed-Build-Depends')!),
    '\ngcc (= 4:12.2.0-3),\nlibc6:arm64 (= 2.36-9),\nmake (= 4.3-4.1),\ntzdata (= 2025b)',
  );
  assert.equal(
    textOf(fieldOf(record!, 'Environment')!),
    '\nLC_ALL="C.UTF-8"\nRETRAIN_SEED="7"\nODD="a\\"b\\\\c\\nd"',
  );
  assert.equal(value('Build-Tainted-By'), 'merged-usr-via-aliased-dirs host-root');
  assert.equal(value('Retrain-Driver'), null);
  assert.equal(value('Retrain-Reference'), `${'c'.repeat(64)} 12 corpus-info`);
});

test('no field is printed empty', () => {
  const bare = {
    ...info,
    taintedBy: [],
    datasets: [],
    references: [],
    installedBuildDepends: [],
    environment: {},
  };
  const [record] = readDeb822(printRetraininfo(bare));
  for (const { name, lines } of record!.fields)
    assert.ok(
      lines.some(({ text }) => text !== ''),
      name,
    );
  assert.equal(fieldOf(record!, 'Retrain-Datasets'), undefined);
});

test('converters are named in their order, and their time is told', () => {
  const converted = { ...info, converters: ['int8', 'pack'], convertSeconds: 1.24 };
  const [record] = readDeb822(printRetraininfo(converted));
  assert.equal(valueIn(record!, 'Retrain-Converters'), 'int8 pack');
  assert.equal(valueIn(record!, 'Retrain-Cost'), 'train 118.3 s, convert 1.2 s');
  const [plain] = readDeb822(printRetraininfo(info));
  assert.equal(fieldOf(plain!, 'Retrain-Converters'), undefined);
});

test('energy is told with how it was known, and the device with its driver', () => {
  const given = {
    ...info,
    device: 'NVIDIA A100 (GPU-1)',
    driver: '535.54.03',
    energyWattHours: { value: 12.345, source: 'sampled' as const },
  };
  const [record] = readDeb822(printRetraininfo(given));
  assert.equal(valueIn(record!, 'Retrain-Cost'), 'train 118.3 s, 12.35 Wh of the devices (sampled)');
  assert.equal(valueIn(record!, 'Retrain-Device'), 'NVIDIA A100 (GPU-1)');
  assert.equal(valueIn(record!, 'Retrain-Driver'), '535.54.03');
});

test('the file name has no epoch', () => {
  assert.equal(retraininfoName(info), 'anthy_0.4-2_k3f9a0b1c2d4.retraininfo');
});

test('a training that was resumed says from which checkpoint', () => {
  const resumedFrom = { sha256: '9'.repeat(64), leaseEpoch: 2 };
  assert.match(printRetraininfo({ ...info, resumedFrom }), /^Retrain-Resumed-From: 9{64} of lease 2$/m);
  assert.doesNotMatch(printRetraininfo(info), /Resumed/);
});
