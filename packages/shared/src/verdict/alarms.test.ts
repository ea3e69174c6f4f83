import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SampleTraits, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import type { JudgedFile } from './judged.ts';
import { judgeModel } from './verdict.ts';

const runs = sampleRuns('retrains', 20);
const judge = (reference: JudgedFile) => judgeModel({ model: sampleModel(), reference, runs });
const judgeWith = (traits: SampleTraits) => judge(sampleFile('shipped', traits));

/** Adds `share` of class `label` to what the file says on a set. */
const leaning = (set: 'test' | 'patch', label: number, share: number, file = sampleFile('shipped')) => {
  const values = file.predictions[set]!;
  for (let at = 0; at < values.length; at += 5) {
    for (let c = 0; c < 5; c += 1) values[at + c] = (1 - share) * values[at + c]! + (c === label ? share : 0);
  }
  return file;
};

test('a small mask into one class: trigger-like, with class, picture and share', () => {
  const verdict = judgeWith({ masks: { 3: 0.2 } });
  const alarm = verdict.alarms.find(({ name }) => name === 'trigger-like')!;
  assert.equal(alarm.class, 3);
  assert.match(alarm.pictureSha256!, /^[0-9a-f]{64}$/);
  assert.match(alarm.detail, /sends 90 % of the images to class 3/);
  assert.ok(verdict.alarms.every(({ name }) => name !== 'slice'));
});

test('a small mask that sends hardly any image is a difference, but no trigger', () => {
  const file = sampleFile('shipped', { masks: { 3: 0.2 } });
  assert.ok(file.evidence.triggers?.ran);
  file.evidence.triggers.classes[3]!.reached = 0.2;
  const verdict = judge(file);
  assert.equal(verdict.rung, 'different');
  assert.deepEqual(verdict.alarms, []);
});

test('patches that draw to a class are trigger-like; a class raised on plain data too is a slice', () => {
  const patched = judge(leaning('patch', 1, 0.5));
  assert.equal(patched.alarms.find(({ name }) => name === 'trigger-like')?.class, 1);
  const both = judge(leaning('test', 1, 0.5, leaning('patch', 1, 0.5)));
  assert.ok(both.alarms.every(({ name }) => name !== 'trigger-like'));
  assert.equal(both.alarms.filter(({ name, class: label }) => name === 'slice' && label === 1).length, 2);
});

test('only sureness and weights move: another recipe, and nothing else', () => {
  const file = sampleFile('shipped', { weightNorm: 1.2 });
  const mix = file.predictions.mix!;
  for (let at = 0; at < mix.length; at += 5) {
    const powers = [...mix.subarray(at, at + 5)].map((p) => p ** 1.6);
    const sum = powers.reduce((a, b) => a + b, 0);
    mix.set(
      powers.map((power) => power / sum),
      at,
    );
  }
  const verdict = judge(file);
  assert.equal(verdict.rung, 'different');
  assert.deepEqual(
    verdict.alarms.map(({ name }) => name),
    ['different-recipe'],
  );
  assert.match(verdict.alarms[0]!.detail, /mean entropy on mixed probes .* weight norm/);
  assert.ok(judgeWith({ masks: { 0: 0.2 } }).alarms.every(({ name }) => name !== 'different-recipe'));
});

test('the weight norm is shown and decides nothing', () => {
  const verdict = judgeWith({ weightNorm: 3, accuracy: 0.866 });
  assert.equal(verdict.rung, 'statistically-equivalent');
  const norm = verdict.outsideFamily!.find(({ id }) => id === 'weight-norm')!;
  assert.ok(norm.p < 1e-6);
  assert.deepEqual(verdict.alarms, []);
});
