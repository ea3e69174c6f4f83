import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jobSeed, probesSeed, seedAt } from './seed.ts';

const base = {
  source: 'anthy',
  version: '1:0.4-2',
  datasetDigests: ['bb', 'aa'],
  beacon: 'cc Sat, 10 Jun 2023 08:53:33 UTC',
  override: null,
};

// Made with coreutils: printf '%s\n' anthy 1:0.4-2 aa bb 'cc Sat, …' | sha256sum; printf '7/1' | sha256sum; …
test('job seeds by their published formula', () => {
  assert.equal(jobSeed(base), '6784c1cbeaa2787867cae8a0225850fb037a6967ddcf394a173a9e1978963449');
  assert.equal(
    jobSeed({ ...base, datasetDigests: [], beacon: '' }),
    '5d1813031e62b19bee18322ff3ad43ccafd6896ab5a8d88bf5b601df650197a7',
  );
  assert.equal(jobSeed({ ...base, override: '7' }), '7');
});

test('seeds and the probes’ seed by their published formula', () => {
  assert.deepEqual(
    [1, 2, 3].map((index) => seedAt('7', index)),
    [1406334332, 462121815, 1698595816],
  );
  assert.equal(probesSeed('7'), '0abbace5a20b68d8b9e08632ff6c6be25fc11a28b4267886403d1aa8ec8a7de5');
});

test('every seed is one that a 31-bit generator takes', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1_000 }), (seed, index) => {
      const value = seedAt(seed, index);
      assert.ok(Number.isInteger(value) && value >= 1 && value <= 2 ** 31 - 2);
      assert.equal(seedAt(seed, index), value);
    }),
  );
  for (const index of [0, -1, 1.5, Number.NaN]) assert.throws(() => seedAt('7', index), RangeError);
});

test('each part counts, and the order of datasets does not', () => {
  assert.equal(jobSeed({ ...base, datasetDigests: ['aa', 'bb'] }), jobSeed(base));
  const seeds = [{}, { source: 'b' }, { version: '2' }, { datasetDigests: ['aa'] }, { beacon: 'd' }].map(
    (change) => jobSeed({ ...base, ...change }),
  );
  assert.equal(new Set(seeds).size, seeds.length);
});
