import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellMeans, cellScaleOf } from './cell-means.ts';

const near = (actual: number[], expected: number[]): void => {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-7, `${value}`);
};

test('log odds of mean probabilities, signed means of other outputs', () => {
  const values = Float32Array.of(0.25, 0.75, 0.75, 0.25, 0.5, 0.5);
  const odds = Math.log(0.6251 / 0.3751);
  near(cellMeans('classification', values, 2), [0, 0]);
  near(cellMeans('probability-vector', values, 3), [Math.log(0.2501 / 0.7501), odds, odds]);
  near(cellMeans('regression', Float32Array.of(-1, 5, -3, 5), 2), [-2, 5]);
});

test('a class that is never given, or always, has a finite cell', () => {
  const most = Math.log(1.0001 / 1e-4);
  near(cellMeans('classification', Float32Array.of(1, 0, 1.000001, -1e-6), 2), [most, -most]);
});

test('cells are told as classes or outputs', () => {
  assert.equal(cellScaleOf('classification').kind, 'class');
  assert.equal(cellScaleOf('probability-vector').kind, 'output');
  assert.equal(cellScaleOf('regression').sdFloor, 0);
});
