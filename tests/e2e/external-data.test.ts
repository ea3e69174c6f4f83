// A shipped model in two files: both are taken out of the tree, both are judged, both are kept. Real sandbox, real make.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { runLocalJob } from '../../apps/worker/src/local-job.ts';
import { bytes, integer, onnxOf } from '../../apps/worker/src/runtime/formats/samples.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';
import { sha256, writeSourceTree } from '../support/source-tree.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-external-'));
after(() => rmSync(room, { recursive: true, force: true }));
const sandbox = openSandbox('bwrap');
const refusal = await sandbox.check().then(
  () => false as const,
  (problem: Error) => problem.message,
);

const entry = (key: string, value: string) => bytes(13, bytes(1, key), bytes(2, value));
/** Four float32 in `data/toy.data`. */
const model = onnxOf(
  bytes(
    5,
    integer(1, 4),
    integer(2, 1),
    bytes(8, 'w'),
    entry('location', 'data/toy.data'),
    entry('length', '16'),
    integer(14, 1),
  ),
  bytes(12, bytes(1, 'out')),
);
const values = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
const others = Buffer.from(Float32Array.of(1, 2, 3, 5).buffer);

let turn = 0;
/** A job whose target leaves the very same model file, with these values beside it. */
const job = async (trained: Buffer) => {
  const at = join(room, String(turn++));
  const path = writeSourceTree(join(at, 'toy'), {
    model: { File: 'models/toy.onnx', Output: 'toy.onnx' },
    train: [
      'ls models models/data 2>&1 | tr "\\n" " "',
      'mkdir "$RETRAIN_OUT/data"',
      'base64 -d model.txt > "$RETRAIN_OUT/toy.onnx"',
      'base64 -d values.txt > "$RETRAIN_OUT/data/toy.data"',
    ],
    files: {
      'models/toy.onnx': model,
      'models/data/toy.data': values,
      'copy/of-the-values': values,
      'model.txt': model.toString('base64'),
      'values.txt': trained.toString('base64'),
    },
  });
  let log = '';
  const result = await runLocalJob({
    source: { path },
    sandbox,
    resultsFolder: join(at, 'results'),
    cacheFolder: join(room, 'cache'),
    parallel: 1,
    onEvent: (event) => {
      if (event.kind === 'log') log += event.text;
    },
  });
  assert.equal(result.broken, null, log);
  return { result, log };
};

suite('a model in two files', { skip: refusal }, () => {
  test('its values leave the tree with it, and are part of what is compared and kept', async () => {
    const { result, log } = await job(values);
    assert.equal(result.verdicts[0]!.rung, 'bit-identical', log);
    assert.match(log, /taken out: data\/toy\.data, which holds values of models\/toy\.onnx/);
    assert.match(log, /taken out: copy\/of-the-values/);
    assert.doesNotMatch(log, /^toy\.data/m);
    const digest = sha256(values);
    const kept = join(result.folder, 'artifacts/sha256', digest.slice(0, 2), digest);
    assert.ok(existsSync(kept));
    assert.deepEqual(readFileSync(kept), values);
  });

  test('the same model file beside other values is another model', async () => {
    const { result } = await job(others);
    assert.equal(result.verdicts[0]!.rung, 'different');
  });
});
