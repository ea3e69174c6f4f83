// `retrain diff`: its exit status, its JSON, and what a terminal must never be shown.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-diff-'));
after(() => rmSync(folder, { recursive: true }));
const diff = (...words: string[]) =>
  runCommand(process.execPath, [join(root, 'apps/cli/bin/retrain.mjs'), 'diff', ...words]);

const write = (name: string, tensor: string, values: number[]): string => {
  const header = JSON.stringify({
    [tensor]: { dtype: 'F32', shape: [values.length], data_offsets: [0, 4 * values.length] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  const path = join(folder, name);
  writeFileSync(
    path,
    Buffer.concat([length, Buffer.from(header), Buffer.from(new Float32Array(values).buffer)]),
  );
  return path;
};

test('0 where all is identical, 6 where not, with figures in the JSON', async () => {
  const a = write('a', 'w', [3, 4]);
  const b = write('b', 'w', [3, 4.5]);
  const same = await diff(a, a);
  assert.equal(same.code, 0, same.stderr);
  assert.match(same.stdout, /identical: all 1 tensors/);
  const other = await diff(a, b, '--json');
  assert.equal(other.code, 6, other.stderr);
  const { identical, tensors, total } = JSON.parse(other.stdout);
  assert.equal(identical, false);
  assert.equal(tensors[0].figures.relativeDistance, 0.1);
  assert.equal(total.maxDifference, 0.5);
});

test('names out of a file are shown without their control characters', async () => {
  const a = write('c', 'w\u001b[31m\u009b', [1]);
  const { code, stdout } = await diff(a, write('d', 'other\n', [1]));
  assert.equal(code, 6);
  assert.ok(stdout.includes('w\\u001b[31m\\u009b'), stdout);
  assert.ok(!stdout.includes('\u001b') && !stdout.includes('\u009b'));
});

test('what is no model is refused by what it is, with the cure', async () => {
  const pickle = join(folder, 'model.pt');
  writeFileSync(pickle, Buffer.from([0x80, 2, 0x8a, 10]));
  const refused = await diff(pickle, pickle);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /model\.pt.*Python pickle.*never loaded/);
  assert.equal((await diff(pickle, join(folder, 'absent'))).code, 1);
  assert.equal((await diff(join(folder, 'absent'), pickle)).code, 4);
  assert.equal((await diff(pickle)).code, 2);
});
