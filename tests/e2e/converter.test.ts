// A model that is shipped with 8-bit weights: the recipe of examples/tiny with a converter, in the real sandbox.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type LocalJobResult, runLocalJob } from '../../apps/worker/src/local-job.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';
import { shippedSeed } from '../../examples/makers/provenance.ts';
import { assertPublished } from '../../packages/shared/samples/published.ts';

const tiny = fileURLToPath(new URL('../../examples/tiny', import.meta.url));
const retrainTfjs = fileURLToPath(new URL('../../build/retrain-tfjs/bin/retrain-tfjs', import.meta.url));
const room = mkdtempSync(join(tmpdir(), 'retrain-converter-'));
after(() => rmSync(room, { recursive: true, force: true }));

const sandbox = openSandbox('bwrap');
const refusal = await sandbox.check().then(
  () => false as const,
  (problem: Error) => problem.message,
);

const int8 = `import { loadModel, run, saveOnnx } from 'retrain-tfjs';

const model = await loadModel(\`\${run.out}/tiny.safetensors\`);
await saveOnnx(model, 'tiny.onnx', { weights: 'int8' });
`;

/** The package tiny-int8: `converter` is what the rule int8 does. */
function writePackage(name: string, converter: string): string {
  const folder = join(room, name);
  cpSync(tiny, folder, { recursive: true });
  const change = (path: string, from: string | RegExp, to: string): void => {
    const text = readFileSync(join(folder, path), 'utf8');
    assert.match(text, new RegExp(from));
    writeFileSync(join(folder, path), text.replace(from, to), {
      mode: path === 'debian/rules' ? 0o755 : 0o644,
    });
  };
  change(
    'debian/retrain/train.mjs',
    /saveOnnx\(model, 'tiny.onnx'\)/,
    "saveModel(model, 'tiny.safetensors')",
  );
  change('debian/retrain/train.mjs', 'saveOnnx', 'saveModel');
  writeFileSync(join(folder, 'debian/retrain/int8.mjs'), int8);
  change('debian/rules', /$/, `\n.PHONY: int8\nint8:\n\t${converter}\n`);
  change('debian/retrain/control', 'License: Expat\nTask', 'License: Expat\nConverter: int8\nTask');
  return folder;
}

/** Trains and converts with one seed, as upstream did. */
function makeShipped(folder: string, seed: number): void {
  const out = join(room, 'shipped');
  const data = join(room, 'data');
  for (const made of [out, data]) mkdirSync(made);
  symlinkSync(join(tiny, 'data'), join(data, 'glyphs'));
  for (const script of ['train', 'int8']) {
    const { status, stderr } = spawnSync(retrainTfjs, [join(folder, `debian/retrain/${script}.mjs`)], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        RETRAIN_NODE: process.execPath,
        RETRAIN_DATA: data,
        RETRAIN_OUT: out,
        RETRAIN_SEED: String(seed),
      },
    });
    assert.equal(status, 0, stderr);
  }
  copyFileSync(join(out, 'tiny.onnx'), join(folder, 'models/tiny.onnx'));
}

async function judge(path: string): Promise<{ result: LocalJobResult; log: string }> {
  let log = '';
  const result = await runLocalJob({
    source: { path },
    sandbox,
    resultsFolder: join(path, '../results'),
    cacheFolder: join(room, 'cache'),
    parallel: 2,
    onEvent: (event) => {
      if (event.kind === 'log') log += event.text;
    },
  });
  for (const verdict of result.verdicts) assertPublished(verdict);
  return { result, log };
}

suite('a converter', { skip: refusal }, () => {
  let folder: string;
  before(() => {
    folder = writePackage('tiny', 'retrain-tfjs debian/retrain/int8.mjs');
    makeShipped(folder, shippedSeed('tiny-int8', '1.0-1'));
  });

  test('brings each retrain into the shipped form, which is what is compared', async () => {
    const { result, log } = await judge(folder);
    assert.equal(result.broken, null);
    assert.equal(result.verdicts[0]!.rung, 'statistically-equivalent', result.verdicts[0]!.sentence);
    assert.match(log, /train: debian\/rules int8 in/);
    const bytes = readFileSync(join(folder, 'models/tiny.onnx')).length;
    const { outcome } = result.runs[0]!;
    assert.ok(outcome.kind === 'reported');
    const { evidence } = outcome.outputs[0]!;
    assert.equal(evidence.file.bytes, bytes);
    const artifact = (sha256: string): Buffer =>
      readFileSync(join(result.folder, 'artifacts/sha256', sha256.slice(0, 2), sha256));
    const record = (sha256: string): string => artifact(sha256).toString('utf8');
    // Eight by eight pixels are images: triggers were searched, inside of the sandbox, through the 8-bit weights.
    assert.ok(evidence.triggers?.ran, JSON.stringify(evidence.triggers));
    for (const { maskL1, pictureSha256 } of evidence.triggers.classes) {
      assert.ok(maskL1 > 0 && maskL1 < 64);
      assert.equal(artifact(pictureSha256!).toString('latin1', 1, 4), 'PNG');
    }
    assert.match(record(outcome.retraininfoSha256), /^Retrain-Converters: int8$/m);
    assert.match(record(outcome.retraininfoSha256), /^Retrain-Cost: train [\d.]+ s, convert [\d.]+ s$/m);
    assert.match(record(outcome.provenanceSha256), /"converters": \[\s*"int8"\s*\]/);
  });

  test('that is missing, or converts nothing, leaves a quantised file not verifiable', async () => {
    const idle = writePackage('plain', 'retrain-tfjs debian/retrain/plain.mjs');
    const plain = int8.replace(", { weights: 'int8' }", '');
    assert.notEqual(plain, int8);
    writeFileSync(join(idle, 'debian/retrain/plain.mjs'), plain);
    const none = join(room, 'none/tiny');
    cpSync(tiny, none, { recursive: true });
    for (const path of [idle, none]) {
      copyFileSync(join(folder, 'models/tiny.onnx'), join(path, 'models/tiny.onnx'));
      const { result } = await judge(path);
      assert.equal(result.broken, null);
      const [verdict] = result.verdicts;
      assert.equal(verdict!.rung, 'not-verifiable', verdict!.sentence);
      assert.match(verdict!.sentence, /shipped file is quantised and the retrain with seed \d+ is not/);
      // The metric alone is still told.
      assert.ok(verdict!.metric!.shipped > 0.8);
    }
  });

  test('that fails, or leaves no output, is the recipe’s fault', async () => {
    const failing = await judge(writePackage('failing', 'echo no such tool; exit 3'));
    assert.equal(failing.result.broken?.blame, 'recipe');
    assert.match(failing.result.broken!.detail, /target int8 of debian\/rules failed with status 2/);
    assert.match(failing.log, /no such tool/);
    const idle = await judge(writePackage('idle', 'true'));
    assert.equal(idle.result.broken?.blame, 'recipe');
    assert.match(idle.result.broken!.detail, /converter int8 succeeded, but left no tiny.onnx/);
  });
});
