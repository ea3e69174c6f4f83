import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { sizeAt, sizesOf } from '../../samples/uniformity.ts';
import { entropyTest, meanEntropy } from './entropy.ts';
import { Measures } from './measures.ts';
import { predictiveT } from './predictive-t.ts';
import { ProbeStream } from './probe-stream.ts';

test('a worked example: log of the number of classes for the unsure, 0 for the sure', () => {
  assert.ok(Math.abs(meanEntropy(Float32Array.of(0.25, 0.25, 0.25, 0.25), 4) - Math.log(4)) < 1e-7);
  assert.equal(meanEntropy(Float32Array.of(1, 0, 0, 1), 2), 0);
  assert.ok(Math.abs(meanEntropy(Float32Array.of(1, 0, 0.5, 0.5), 2) - Math.log(2) / 2) < 1e-7);
});

test('size on models that differ in sureness and noise: 0.3–2 % at 1 %, 3–7 % at 5 %', (t) => {
  const columns = 4;
  for (const k of [3, 5, 10]) {
    const stream = new ProbeStream('entropy', `${k}`);
    const truth = Array.from({ length: 15 * columns }, () => 2 * stream.normal());
    const model = (): number => {
      const sureness = Math.exp(0.1 * stream.normal());
      const values = new Float32Array(truth.length);
      for (let at = 0; at < truth.length; at += columns) {
        const powers = truth
          .slice(at, at + columns)
          .map((logit) => Math.exp(sureness * (logit + 0.3 * stream.normal())));
        const sum = powers.reduce((a, b) => a + b, 0);
        values.set(
          powers.map((power) => power / sum),
          at,
        );
      }
      return Math.log(meanEntropy(values, columns));
    };
    const ps = Array.from({ length: 1_000 }, () => predictiveT(model(), Array.from({ length: k }, model))!.p);
    const told = `k = ${k}: ${sizesOf(ps)}`;
    t.diagnostic(told);
    assert.ok(sizeAt(ps, 0.01) >= 0.003 && sizeAt(ps, 0.01) <= 0.02, told);
    assert.ok(sizeAt(ps, 0.05) >= 0.03 && sizeAt(ps, 0.05) <= 0.07, told);
  }
});

test('a model that is surer on mixes is found; one that is wholly sure, or a set that is absent, is no test', () => {
  const compared = (shipped = sampleFile('shipped', { sureness: 1.3 })) => ({
    model: sampleModel(),
    shipped,
    retrains: sampleRuns('retrains', 10),
    measures: new Measures(),
  });
  const found = entropyTest(compared(), 'mix');
  assert.ok('test' in found && found.test.p < 1e-6 && found.test.statistic < 0);
  assert.equal(found.test.id, 'entropy-mix');
  const certain = sampleFile('certain');
  certain.predictions.mix = certain.predictions.mix!.map((_, i) => (i % 5 === 0 ? 1 : 0));
  assert.ok('why' in entropyTest(compared(certain), 'mix'));
  const without = sampleFile('without');
  delete without.evidence.sets.train;
  const told = entropyTest(compared(without), 'train');
  assert.ok('untested' in told);
  assert.match(told.untested, /declares no Training-Inputs: train-fit was not tested/);
});
