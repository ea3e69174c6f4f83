import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { WeightsRef } from '@retraind/shared/verdict/evidence';
import { ArtifactStore } from './artifacts.ts';
import { compareWeights } from './compare-weights.ts';
import { readJudgedFile } from './judged-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-weights-'));
after(() => rm(folder, { recursive: true, force: true }));
const store = new ArtifactStore(folder);

const bytesOf = (values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes;
};
const put = async (tensors: Record<string, number[]>): Promise<WeightsRef> => ({
  sha256: (await store.putText(bytesOf(Object.values(tensors).flat()))).sha256,
  tensors: Object.entries(tensors).map(([name, values]) => ({ name, shape: [values.length] })),
});

test('distances by tensor, whatever the order of tensors, equal files once', async () => {
  const a = await put({ kernel: [3, 4], bias: [1] });
  const b = await put({ bias: [3], kernel: [0, 0] });
  assert.deepEqual(await compareWeights(store, [a, b, a]), {
    files: [a.sha256, b.sha256],
    tensors: [
      { name: 'kernel', shape: [2], squared: [25], norms: [25, 0] },
      { name: 'bias', shape: [1], squared: [4], norms: [1, 9] },
    ],
  });
});

test('longer than one stretch: the sums are those of the whole', async () => {
  const length = 700_001;
  const wave = (step: number) => Array.from({ length }, (_, i) => Math.fround(Math.sin(i * step)));
  const [first, second] = [wave(0.1), wave(0.2)];
  const found = await compareWeights(store, [await put({ w: first }), await put({ w: second })]);
  assert.ok('tensors' in found);
  const expected = first.reduce((sum, value, i) => sum + (value - second[i]!) ** 2, 0);
  assert.ok(Math.abs(found.tensors[0]!.squared[0]! / expected - 1) < 1e-12);
});

test('what cannot be compared is told or thrown', async () => {
  const a = await put({ kernel: [1, 2] });
  const other = await put({ kernel: [1, 2, 3] });
  const told = await compareWeights(store, [a, other]);
  assert.ok('why' in told && /“kernel” is 2, in a retrain 3/.test(told.why));
  const lying = { ...other, tensors: [{ name: 'kernel', shape: [2] }] };
  await assert.rejects(compareWeights(store, [a, lying]), { code: 'invalid-data' });
  const gone = { ...a, sha256: 'f'.repeat(64) };
  await assert.rejects(compareWeights(store, [a, gone]), { code: 'not-found' });
});

test('a judged file brings predictions, and the shipped one true answers and slices', async () => {
  const array = async (values: number[]) => ({
    sha256: (await store.putText(bytesOf(values))).sha256,
    rows: values.length,
    columns: 1,
  });
  const evidence = {
    evaluator: 'sample 1',
    file: { sha256: '0'.repeat(64), bytes: 1 },
    tensorSha256: null,
    sets: { test: await array([0.25, 0.75]) },
    metric: null,
    logLoss: null,
    targets: { test: await array([0, 1]) },
    slices: await array([2, 3]),
    faults: [],
  };
  const shipped = await readJudgedFile(store, evidence, true);
  assert.deepEqual([...shipped.predictions.test!], [0.25, 0.75]);
  assert.deepEqual([...shipped.targets!.test!], [0, 1]);
  assert.deepEqual([...shipped.slices!], [2, 3]);
  assert.equal((await readJudgedFile(store, evidence, false)).targets, undefined);
  const cut = { ...evidence, sets: { test: { ...evidence.sets.test, rows: 3 } } };
  await assert.rejects(readJudgedFile(store, cut, false), { code: 'invalid-data' });
});
