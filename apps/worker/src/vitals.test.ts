// Vitals of a machine: the kernel's files as they are written, and this machine's own.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { NodeVitals } from '@retraind/shared/wire/node';
import { Value } from 'typebox/value';
import { availableBytes, readVitals, someOfTen } from './vitals.ts';

const work = mkdtempSync(join(tmpdir(), 'retraind-vitals-'));
after(() => rmSync(work, { recursive: true }));

test('meminfo and pressure files are read as the kernel writes them; others say nothing', () => {
  const meminfo = 'MemTotal:       24612345 kB\nMemFree:          512000 kB\nMemAvailable:   20000000 kB\n';
  assert.equal(availableBytes(meminfo), 20_480_000_000);
  assert.equal(availableBytes('MemTotal: 1 kB\n'), null);
  const pressure =
    'some avg10=12.50 avg60=3.21 avg300=0.98 total=123456\nfull avg10=1.00 avg60=0.50 avg300=0.10 total=4567\n';
  assert.equal(someOfTen(pressure), 12.5);
  assert.equal(someOfTen(''), null);
  assert.equal(someOfTen('full avg10=1.00 avg60=0.50\n'), null);
});

test('this machine’s vitals fit what the farm takes; the cache is told, the latest used first', async () => {
  const folder = join(work, 'cache/data');
  mkdirSync(folder, { recursive: true });
  const names = {
    [`plain-${'a'.repeat(64)}`]: 1,
    [`uncompressed-${'b'.repeat(64)}`]: 2,
    [`plain-${'b'.repeat(64)}`]: 3,
    draft: 4,
  };
  for (const [name, usedAt] of Object.entries(names)) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), usedAt, usedAt);
  }
  const vitals = await readVitals(work);
  assert.ok(Value.Check(NodeVitals, vitals), JSON.stringify(vitals));
  assert.deepEqual(vitals.datasetDigests, ['b'.repeat(64), 'a'.repeat(64)]);
  assert.ok(
    vitals.memoryFreeBytes > 0 && vitals.diskFreeBytes > 0 && vitals.diskBytes >= vitals.diskFreeBytes,
  );
});
