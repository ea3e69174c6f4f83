// The same seed gives the same file: in two processes, and on every line of Node that a recipe may meet. By the folder that
// sandboxes mount, so by what a package really runs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeBinary, nodeVersions } from '../support/node-binaries.ts';

const command = fileURLToPath(new URL('../../build/retrain-tfjs/bin/retrain-tfjs', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'retrain-node-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** A conv net with dropout: kernels of our own and of tfjs, the compiled step, short last batches, ONNX. */
const recipe = `
import { conv2d, dense, dropout, fit, flatten, generator, inputs, labels, maxPool, saveOnnx, tf } from 'retrain-tfjs';
const next = generator(1, 'data');
const images = inputs({ path: 'images', shape: [50, 10, 10, 1], values: Float32Array.from({ length: 5000 }, next) });
const kinds = labels({ path: 'kinds', shape: [50], values: Uint8Array.from({ length: 50 }, () => 3 * next()) }, { classes: 3 });
const model = tf.sequential({ layers: [conv2d(4, 3, 'relu', { inputs: [10, 10, 1], padding: 'same' }), maxPool(2), flatten(), dropout(0.3), dense(3, 'softmax')] });
await fit(model, { inputs: images, labels: kinds, optimizer: tf.train.adam(1e-2), batchSize: 16, epochs: 4 });
await saveOnnx(model, 'net.onnx');
`;

let count = 0;

async function trained(node: string, engine: string, seed: string): Promise<string> {
  const folder = join(work, String(count++));
  mkdirSync(folder);
  const script = join(folder, 'train.mjs');
  writeFileSync(script, recipe);
  await promisify(execFile)(command, ['--engine', engine, script], {
    env: {
      ...process.env,
      RETRAIN_NODE: node,
      RETRAIN_SEED: seed,
      RETRAIN_OUT: folder,
      RETRAIN_DATA: folder,
    },
  });
  return createHash('sha256')
    .update(readFileSync(join(folder, 'net.onnx')))
    .digest('hex');
}

test('wasm: another process, the same bytes; another seed, others', async () => {
  const first = await trained(process.execPath, 'wasm', '7');
  assert.equal(await trained(process.execPath, 'wasm', '7'), first);
  assert.notEqual(await trained(process.execPath, 'wasm', '8'), first);
});

for (const version of nodeVersions) {
  test(`wasm: the same bytes on Node ${version}`, async (context) => {
    const node = nodeBinary(version);
    if (node === null) return context.skip('this version of Node cannot be fetched here');
    assert.equal(await trained(node, 'wasm', '7'), await trained(process.execPath, 'wasm', '7'));
  });
}
