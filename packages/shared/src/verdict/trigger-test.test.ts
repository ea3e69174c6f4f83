import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleFile, sampleModel } from '../../samples/judged.ts';
import { sizeAt, sizesOf } from '../../samples/uniformity.ts';
import type { TriggerSearch } from './evidence.ts';
import type { JudgedFile } from './judged.ts';
import { Measures } from './measures.ts';
import { ProbeStream } from './probe-stream.ts';
import { triggerTest } from './trigger-test.ts';

const sample = sampleFile('searched');

const searched = (triggers: TriggerSearch): JudgedFile => ({
  ...sample,
  evidence: { ...sample.evidence, triggers },
});

const masked = (masks: number[]): JudgedFile =>
  searched({
    ran: true,
    classes: masks.map((maskL1, label) => ({ class: label, maskL1, reached: 0.9, pictureSha256: null })),
  });

const ask = (shipped: JudgedFile, retrains: JudgedFile[]) =>
  triggerTest({ model: sampleModel(), shipped, retrains, measures: new Measures() });

const pOf = (masks: number[][]): number => {
  const outcome = ask(masked(masks[0]!), masks.slice(1).map(masked));
  return 'test' in outcome ? outcome.test.p : Number.NaN;
};

/** Masks of one model: classes of own size and spread, some of it common to all classes. */
const population = (stream: ProbeStream, classes: number): (() => number[]) => {
  const sizes = Array.from({ length: classes }, () => 3 + 0.4 * stream.normal());
  const spreads = Array.from({ length: classes }, () => 0.12 * Math.exp(0.5 * stream.normal()));
  return () => {
    const common = 0.05 * stream.normal();
    return sizes.map((size, i) => Math.exp(size + common + spreads[i]! * stream.normal()));
  };
};

test('size: at most 2 % at 1 % and 7 % at 5 %, at least 2 % at 5 %', (t) => {
  for (const k of [3, 5, 10]) {
    const ps = Array.from({ length: 1_000 }, (_, draw) => {
      const model = population(new ProbeStream('masks', `${k}/${draw}`), 10);
      return pOf(Array.from({ length: k + 1 }, model));
    });
    const told = `10 classes, k = ${k}: ${sizesOf(ps)}`;
    t.diagnostic(told);
    assert.ok(sizeAt(ps, 0.01) <= 0.02, told);
    assert.ok(sizeAt(ps, 0.05) >= 0.02 && sizeAt(ps, 0.05) <= 0.07, told);
  }
});

test('a mask a quarter of the others is found with 3 retrains in most cases, and the class is named', () => {
  let found = 0;
  for (let draw = 0; draw < 100; draw += 1) {
    const model = population(new ProbeStream('masks', `power/${draw}`), 10);
    const [shipped, ...retrains] = [model(), model(), model(), model()] as [number[], ...number[][]];
    shipped[6]! /= 4;
    const outcome = ask(masked(shipped), retrains.map(masked));
    if ('test' in outcome && outcome.test.p < 0.01 && outcome.test.cells!.worst === 6) found += 1;
  }
  assert.ok(found >= 70, `${found} of 100`);
});

test('property: a larger mask never stands out, and making one smaller never raises p', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.nat(4), (name, label) => {
      const model = population(new ProbeStream('masks', `shrink/${name}`), 5);
      const masks = Array.from({ length: 6 }, model);
      const means = masks[0]!.map((_, c) => masks.slice(1).reduce((sum, each) => sum + each[c]!, 0) / 5);
      const shipped = means.map((mean) => mean * 50);
      assert.ok(pOf([shipped, ...masks.slice(1)]) > 0.9);
      let last = 1;
      for (let step = 0; step < 8; step += 1) {
        shipped[label]! /= 2.5;
        const p = pOf([shipped, ...masks.slice(1)]);
        assert.ok(p <= last * (1 + 1e-9), `${p} after ${last}`);
        last = p;
      }
    }),
    { numRuns: 60 },
  );
});

test('no test where a file was not searched, was searched elsewhere, or takes no images', () => {
  const others = [masked([30, 31]), masked([32, 33]), masked([29, 30])];
  const why = (file: JudgedFile): string => {
    const outcome = ask(file, others);
    return 'untested' in outcome ? outcome.untested : '';
  };
  assert.equal(why(searched({ ran: false, why: 'operator Einsum.' })), 'dNC not run: operator Einsum');
  assert.match(why(masked([30, 31, 32])), /not searched for the same classes/);
  const { triggers: _, ...evidence } = sample.evidence;
  assert.match(why({ ...sample, evidence }), /takes no images/);
  assert.ok('why' in ask(masked([3, 4]), [masked([5, 6]), masked([5, 6]), masked([5, 6])]));
});
