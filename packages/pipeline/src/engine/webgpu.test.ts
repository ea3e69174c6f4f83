// What does not need a GPU; what does is in tests/engines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backend_util } from '@tensorflow/tfjs-core';
import { webgpu } from './webgpu.ts';
import { borderFactors } from './webgpu-kernels.ts';

test('without a dawn.node, or with one that does not load, it says so', async () => {
  const given = process.env.RETRAIN_WEBGPU;
  delete process.env.RETRAIN_WEBGPU;
  assert.equal(webgpu.automatic, false);
  assert.deepEqual(await webgpu.open(), { unavailable: 'RETRAIN_WEBGPU names no dawn.node' });
  process.env.RETRAIN_WEBGPU = '/nowhere/dawn.node';
  assert.equal(webgpu.automatic, true);
  const refused = await webgpu.open();
  assert.ok('unavailable' in refused);
  assert.match(refused.unavailable, /^Dawn does not load: Cannot find module '\/nowhere\/dawn\.node'$/);
  if (given === undefined) delete process.env.RETRAIN_WEBGPU;
  else process.env.RETRAIN_WEBGPU = given;
});

test('a window at the border counts only the cells within the image', () => {
  const info = backend_util.computePool2DInfo([1, 4, 5, 2], 3, 1, 1, 'same');
  const factors = borderFactors(info);
  assert.equal(factors.length, 20);
  assert.equal(factors[0], 9 / 4);
  assert.equal(factors[1], 9 / 6);
  assert.equal(factors[6], 1);
  assert.equal(factors[19], 9 / 4);
  const valid = backend_util.computePool2DInfo([1, 4, 4, 1], 2, 2, 1, 'valid');
  assert.deepEqual([...borderFactors(valid)], [1, 1, 1, 1]);
});
