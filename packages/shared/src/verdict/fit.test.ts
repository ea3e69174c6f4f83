import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitOf } from './fit.ts';

const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test('classes: loss, accuracy with ties to the lower class, and the loss of each class that has examples', () => {
  const values = Float32Array.of(0.5, 0.5, 0, 0.25, 0.75, 0, 0, 0, 1);
  const { loss, accuracy, classLosses } = fitOf('classification', values, 3, Float32Array.of(0, 0, 2));
  close(accuracy!, 2 / 3);
  close(loss, (Math.log(2) + Math.log(4)) / 3);
  close(classLosses[0]!, (Math.log(2) + Math.log(4)) / 2);
  assert.deepEqual(classLosses.slice(1), [null, 0]);
});

test('a probability of 0 for what is true is a large loss, not infinite', () => {
  const wrong = fitOf('classification', Float32Array.of(1, 0), 2, Float32Array.of(1));
  close(wrong.loss, -Math.log(1e-12));
  const sure = fitOf('probability-vector', Float32Array.of(1, 0), 2, Float32Array.of(0, 1));
  close(sure.loss, -Math.log(1e-7));
});

test('probabilities: mean Bernoulli cross-entropy over outputs; regression: mean squared error', () => {
  const values = Float32Array.of(0.5, 0.25);
  const { loss, accuracy } = fitOf('probability-vector', values, 2, Float32Array.of(1, 0.5));
  close(loss, (Math.log(2) - (Math.log(0.25) + Math.log(0.75)) / 2) / 2);
  assert.equal(accuracy, null);
  close(fitOf('regression', values, 2, Float32Array.of(1, 0.75)).loss, 0.25);
});
