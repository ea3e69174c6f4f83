import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder, engineFolder } from '../../engine/tensorflow/folder.ts';
import { workOf } from './threads.ts';

const weight = (...shape: number[]) => ({ shape, size: shape.reduce((a, b) => a * b, 1) });
const feed = (...shape: number[]) => ({ shape, values: new Float32Array(0) });

test('the work of a step grows with records, weights and places', () => {
  const mlp = [weight(250, 128), weight(128), weight(128, 5), weight(5)];
  assert.equal(workOf(mlp, { x: feed(256, 250), y: feed(256, 5) }), 6 * 256 * (250 * 128 + 128 * 5));
  assert.equal(workOf(mlp, { x: { rows: new Int32Array(4096) } }), 16 * workOf(mlp, { x: feed(256, 250) }));
  const conv = [weight(3, 3, 1, 16), weight(16)];
  assert.equal(workOf(conv, { x: feed(128, 28, 28, 1) }), 6 * 128 * 144 * 784);
});

const work = mkdtempSync(join(tmpdir(), 'retrain-threads-'));
after(() => rmSync(work, { recursive: true, force: true }));

const recipe = (rows: number) => `
import { dense, fit, inputs, labels, tf } from 'retrain-tfjs';
const x = inputs({ path: 'x', shape: [${rows}, 250], values: new Float32Array(${rows} * 250).fill(0.5) });
const y = labels({ path: 'y', shape: [${rows}], values: new Uint8Array(${rows}) }, { classes: 5 });
const model = tf.sequential({ layers: [dense(128, 'relu', { inputs: 250 }), dense(5, 'softmax')] });
await fit(model, { inputs: x, labels: y, optimizer: tf.train.adam(1e-3), batchSize: ${rows}, epochs: 2 });
`;

async function enginesTold(rows: number, env: Record<string, string>): Promise<string[]> {
  const script = join(work, `train-${rows}.mjs`);
  const metrics = join(work, `metrics-${rows}-${Object.keys(env).length}`);
  writeFileSync(script, recipe(rows));
  const command = fileURLToPath(new URL('../../../bin/retrain-tfjs.mjs', import.meta.url));
  const { TF_NUM_INTRAOP_THREADS: _, TF_NUM_INTEROP_THREADS: __, ...outside } = process.env;
  await promisify(execFile)(process.execPath, [command, '--engine', 'tfjs-node', script], {
    env: {
      ...outside,
      ...{ RETRAIN_SEED: '1', RETRAIN_OUT: work, RETRAIN_DATA: work, RETRAIN_METRICS: metrics },
      ...{ RETRAIN_TFJS_NODE: process.env.RETRAIN_TFJS_NODE || cacheFolder('cpu') },
      ...env,
    },
  });
  const lines = readFileSync(metrics, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line).engine).filter(Boolean);
}

test('a small net takes one thread of two, a large one both; a count set on purpose stays', async (context) => {
  const folder = engineFolder('cpu');
  if ('unavailable' in folder) return context.skip(folder.unavailable);
  const two = { DEB_BUILD_OPTIONS: 'parallel=2' };
  const small = await enginesTold(256, two);
  assert.equal(small.length, 2);
  assert.match(small[1]!, /oneDNN, 1 thread for 0\.050 GFLOP a step/);
  const large = await enginesTold(4096, two);
  assert.match(large.at(-1)!, /oneDNN, 2 threads and 2 between operations for 0\.80 GFLOP a step/);
  const set = await enginesTold(256, { ...two, TF_NUM_INTRAOP_THREADS: '2' });
  assert.equal(set.length, 1);
  assert.match(set[0]!, /oneDNN, 2 threads/);
});
