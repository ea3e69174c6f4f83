// TensorFlow's CUDA library under the binding: run by `npm run test:engines -- --cuda-wheel`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engines } from '@retraind/pipeline/engine/engines';
import { tensorflowBinding } from '@retraind/pipeline/engine/tensorflow/binding';
import { engineFolder } from '@retraind/pipeline/engine/tensorflow/folder';
import * as tf from '@retraind/pipeline/tf';

test('tfjs-node-gpu loads its library, and takes a CUDA device or says that there is none', async (context) => {
  const folder = engineFolder('cuda');
  if ('unavailable' in folder) return context.skip(folder.unavailable);
  if (folder.manifest.kind !== 'cuda') return context.skip(`${folder.path} holds TensorFlow for the CPU`);
  const opened = await engines.find(({ name }) => name === 'tfjs-node-gpu')!.open();
  assert.equal(tensorflowBinding()!.TF_Version, folder.manifest.tensorflow);
  if (tensorflowBinding()!.isUsingGpuDevice()) {
    assert.ok(!('unavailable' in opened) && opened.determinism === 'device');
    return;
  }
  assert.deepEqual(opened, { unavailable: 'TensorFlow finds no CUDA device here' });
  // The library itself works: it trains on the CPU.
  await tf.setBackend('tensorflow');
  const weight = tf.variable(tf.scalar(1));
  tf.train.sgd(0.25).minimize(() => tf.square(tf.sub(weight, 3)) as tf.Scalar);
  assert.equal((await weight.data())[0], 2);
});
