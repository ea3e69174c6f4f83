// retrain simulate: the same seed tells the same story, files are read, and what cannot be read is refused with its place.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Report } from '@retraind/shared/simulate/report';

const program = fileURLToPath(new URL('../../apps/cli/bin/retrain.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
const fileOf = (name: string, value: unknown): string => {
  writeFileSync(join(folder, name), JSON.stringify(value));
  return join(folder, name);
};

const simulate = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    execFile(process.execPath, [program, 'simulate', ...words], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

test('the same seed tells the same story, and its trace has the digest', async () => {
  const trace = join(folder, 'trace.txt');
  const words = ['--nodes', '5', '--jobs', '25', '--faults', 'heavy', '--seed', 'x', '--json'];
  const [one, two] = await Promise.all([simulate(...words), simulate(...words, '--trace', trace)]);
  assert.deepEqual([one.code, one.err], [0, '']);
  assert.equal(one.out, two.out);
  const report = JSON.parse(one.out) as Report;
  assert.equal(report.digest, createHash('sha256').update(readFileSync(trace)).digest('hex'));
  assert.equal(report.jobs.total, 25);
});

test('nodes, jobs and a policy come from files; people get tables', async () => {
  const nodes = fileOf('nodes.json', [{ name: 'a', class: 'amd64', slots: 2, accelerators: [] }]);
  const job = { source: 's', requestedAtSeconds: 0, accelerators: 'none', trainSeconds: 60, retrains: 1 };
  const jobs = fileOf('jobs.json', [job, { ...job, source: 't', accelerators: 'cuda' }]);
  const policy = fileOf('policy.json', { hopelessDays: 2 });
  const words = ['--nodes', nodes, '--jobs', jobs, '--policy', policy, '--faults', 'none'];
  const { code, out } = await simulate(...words);
  assert.equal(code, 0);
  assert.match(out, /1 nodes, 2 slots, 2 jobs, faults none/);
  assert.match(out, /1 auto-not-for-us, 1 judged/);
  assert.match(out, /starvation: none/);
  assert.match(out, /0 results recorded twice/);
});

test('what cannot be read is refused', async () => {
  const table = [
    [['--nodes', '0'], /--nodes 0: a whole number from 1 to 5000, or a file/],
    // What looks like a number is not taken for the name of a file.
    [
      ['--nodes', '1e9'],
      /--nodes 1e9: a whole number from 1 to 5000, or a file, is needed\n.*write --nodes 20/,
    ],
    [['--jobs', '-5'], /--jobs -5: a whole number from 1 to 200000, or a file/],
    [['--budgets', fileOf('free.json', [{ account: 'ada', gpuHours: 1 }])], /\/0\/account/],
    [['--faults', 'some'], /none, light, heavy are known/],
    [['--policy', fileOf('bad.json', { aging: null })], /\/aging is not known/],
    [['--nodes', fileOf('few.json', [])], /fewer than 1/],
  ] as const;
  const answers = await Promise.all(table.map(([words]) => simulate(...words)));
  for (const [index, { code, out, err }] of answers.entries()) {
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, table[index]![1]);
  }
  assert.equal((await simulate('--jobs', join(folder, 'none.json'))).code, 4);
});
