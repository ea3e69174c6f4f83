// A recipe trained by TensorFlow inside the sandbox, as a node that has it would: examples/tiny, the real libraries.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runLocalJob } from '../../apps/worker/src/local-job.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';
import { cacheFolder } from '../../packages/pipeline/src/engine/tensorflow/folder.ts';

const tiny = fileURLToPath(new URL('../../examples/tiny', import.meta.url));
const room = mkdtempSync(join(tmpdir(), 'retrain-tensorflow-'));
after(() => rmSync(room, { recursive: true, force: true }));

const tfjsNode = process.env.RETRAIN_TFJS_NODE || cacheFolder('cpu');
const sandbox = openSandbox('bwrap');
const refusal = await sandbox.check().then(
  () =>
    existsSync(join(tfjsNode, 'manifest.json')) ? false : 'infra/gpu/install-tfjs-node has not been run',
  (problem: Error) => problem.message,
);

const trained = async (name: string, options: { tfjsNode?: string }) => {
  const resultsFolder = join(room, name);
  const result = await runLocalJob({
    source: { path: tiny },
    sandbox,
    resultsFolder,
    cacheFolder: join(room, 'cache'),
    runs: 1,
    parallel: 1,
    ...options,
  });
  assert.equal(result.broken, null);
  const { outcome } = result.runs[0]!;
  assert.ok(outcome.kind === 'reported');
  const digest = outcome.retraininfoSha256;
  const record = readFileSync(join(result.folder, 'artifacts/sha256', digest.slice(0, 2), digest), 'utf8');
  return { result, record };
};

test('the record names TensorFlow, its digest and its settings', {
  skip: refusal,
  timeout: 240_000,
}, async () => {
  const { record } = await trained('tensorflow', { tfjsNode });
  const { sha256 } = JSON.parse(readFileSync(join(tfjsNode, 'manifest.json'), 'utf8')) as { sha256: string };
  const named = `retrain-tfjs tfjs-node (tfjs 4.22.0, TensorFlow 2.21.0 sha256 ${sha256.slice(0, 12)}`;
  const engine = /^Retrain-Engine: (.+)$/m.exec(record)?.[1];
  assert.ok(engine);
  assert.ok(engine.startsWith(named), engine);
  assert.match(
    engine,
    /, oneDNN, \d+ threads?( and \d+ between operations)?( for \S+ GFLOP a step)?, \S.*\)$/,
  );
  assert.equal(/^ RETRAIN_TFJS_NODE=.*$/m.exec(record)?.[0], ' RETRAIN_TFJS_NODE="/opt/retrain/tfjs-node"');
});

test('without the folder the engine is wasm, as before', { skip: refusal, timeout: 240_000 }, async () => {
  const { record } = await trained('wasm', {});
  assert.match(record, /Retrain-Engine: retrain-tfjs wasm \(/);
  assert.doesNotMatch(record, /RETRAIN_TFJS_NODE/);
});

test('a folder that is not whole is told before anything runs', async () => {
  await assert.rejects(
    runLocalJob({
      source: { path: tiny },
      sandbox: 'none',
      resultsFolder: join(room, 'absent'),
      cacheFolder: join(room, 'cache'),
      tfjsNode: join(room, 'nowhere'),
    }),
    /nowhere holds no TensorFlow: ENOENT.*/,
  );
});
