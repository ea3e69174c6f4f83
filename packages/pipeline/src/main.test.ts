// The built folder as a sandbox sees it: a copy elsewhere, a node binary, the documented variables, nothing else.
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const tiny = join(root, 'examples/tiny');
const work = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(work, { recursive: true, force: true }));

before(async () => {
  const built = spawnSync(process.execPath, [join(root, 'packages/pipeline/build.mjs')], {
    encoding: 'utf8',
  });
  assert.equal(built.status, 0, built.stderr);
  await cp(join(root, 'build/retrain-tfjs'), join(work, 'runtime'), { recursive: true });
  await mkdir(join(work, 'data'));
  await symlink(join(tiny, 'data'), join(work, 'data/glyphs'));
});

async function train(script: string, variables: Record<string, string> = {}) {
  const out = await mkdtemp(join(work, 'out-'));
  const metrics = join(out, '..', `${out.split('-').at(-1)}.metrics`);
  const ended: SpawnSyncReturns<string> = spawnSync(join(work, 'runtime/bin/retrain-tfjs'), [script], {
    encoding: 'utf8',
    cwd: work,
    env: {
      PATH: '/usr/bin:/bin',
      RETRAIN_NODE: process.execPath,
      RETRAIN_DATA: join(work, 'data'),
      RETRAIN_OUT: out,
      RETRAIN_SEED: '7',
      RETRAIN_METRICS: metrics,
      ...variables,
    },
  });
  const lines = (await readFile(metrics, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  return { ...ended, out, metrics: lines.map((line) => JSON.parse(line) as Record<string, number | string>) };
}

const script = async (name: string, text: string): Promise<string> => {
  await writeFile(join(work, name), text);
  return join(work, name);
};

const digest = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

test('the same seed gives the same file in two processes, another seed another', async () => {
  const recipe = join(tiny, 'debian/retrain/train.mjs');
  const runs = [await train(recipe), await train(recipe), await train(recipe, { RETRAIN_SEED: '8' })];
  for (const run of runs) assert.equal(run.status, 0, run.stderr);
  const digests = await Promise.all(runs.map((run) => digest(join(run.out, 'tiny.onnx'))));
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[0], digests[2]);
  assert.deepEqual(await readdir(runs[0]!.out), ['tiny.onnx']);

  const { metrics, stderr } = runs[0]!;
  assert.match(String(metrics[0]!.engine), /^retrain-tfjs wasm \(tfjs 4\.22\.0, simd, 1 thread\)$/);
  assert.deepEqual(metrics.at(-1), { progress: 1 });
  const curve = metrics.filter((line) => 'loss' in line);
  assert.equal(curve.at(-1)!.step, 12 * Math.ceil(2_000 / 64));
  assert.ok(Number(curve.at(-1)!.loss) < Number(curve[0]!.loss) / 2);
  assert.match(stderr, /^epoch 12\/12 {2}loss 0\.\d{4} /m);
});

test('other numerics give other bits of the same net, and the metrics say which', async () => {
  const path = join(tiny, 'debian/retrain/train.mjs');
  const [own, reversed, other] = [
    await train(path),
    await train(path, { RETRAIN_NUMERICS: '2' }),
    await train(path, { RETRAIN_NUMERICS: '4' }),
  ];
  const variations = [own, reversed, other].map(({ status, stderr, metrics }) => {
    assert.equal(status, 0, stderr);
    return metrics.find((line) => 'numerics' in line) ?? null;
  });
  // Here wasm is the only engine that is taken unasked.
  const both = 'both halves of reversed rows (there is no other engine here)';
  assert.deepEqual(variations, [
    null,
    { numerics: 2, variation: 'the rows of each batch reversed' },
    { numerics: 4, variation: both },
  ]);
  const digests = await Promise.all([own, reversed, other].map(({ out }) => digest(join(out, 'tiny.onnx'))));
  assert.equal(new Set(digests).size, 3);
  const last = ({ metrics }: typeof own) => Number(metrics.findLast((line) => 'loss' in line)!.loss);
  assert.ok(Math.abs(last(own) - last(reversed)) < 1e-3 && Math.abs(last(own) - last(other)) < 1e-3);
});

test('a layer that cannot be written as ONNX is named, before anything is written', async () => {
  const text = recipe('0.1', "model.add(tf.layers.gaussianNoise({ name: 'hiss', stddev: 0.1 }));")
    .replace("dense(6, 'softmax')", "dense(7, 'relu')")
    .replace('await fit', "model.add(dense(6, 'softmax'));\nawait fit")
    .replace('fit, inputs', 'fit, saveOnnx, inputs');
  const { status, stderr, out, metrics } = await train(
    await script('hiss.mjs', `${text}\nawait saveOnnx(model, 'x.onnx');`),
  );
  assert.equal(status, 1);
  assert.match(stderr, /layer 'hiss' is a GaussianNoise, which cannot be written as ONNX\n {2}build the net/);
  assert.deepEqual(await readdir(out), []);
  // Its noise comes from Math.random in tfjs's own code: it trains, each operation by itself, and the metrics say why.
  const mode = metrics.find((line) => 'stepMode' in line)!;
  assert.equal(mode.stepMode, 'eager');
  assert.match(String(mode.reason), /a value that JavaScript makes anew at every run$/);
});

const recipe = (rate: string, more = '') => `
import { dense, fit, inputs, labels, readIdx, tf } from 'retrain-tfjs';
const images = inputs(await readIdx('glyphs/train-images-idx3-ubyte.gz'), { scale: 1 / 255 });
const kinds = labels(await readIdx('glyphs/train-labels-idx1-ubyte.gz'), { classes: 6 });
const model = tf.sequential({ layers: [dense(8, 'relu', { inputs: 64 }), dense(6, 'softmax')] });
${more}
await fit(model, { inputs: images, labels: kinds, optimizer: tf.train.sgd(${rate}), batchSize: 500, epochs: 9 });
`;

test('a loss that is not finite stops the recipe and names the step', async () => {
  const { status, stderr } = await train(await script('diverges.mjs', recipe('1e30')));
  assert.equal(status, 1);
  assert.match(
    stderr,
    /retrain-tfjs: the loss is (NaN|Infinity) at step [1-9] of 36 \(epoch [1-3]\)\n {2}lower/,
  );
});

test('Math.random is a function of the seed', async () => {
  const path = await script('random.mjs', 'console.log(Math.random(), Math.random());');
  const [first, second, other] = [
    await train(path),
    await train(path),
    await train(path, { RETRAIN_SEED: '8' }),
  ];
  assert.match(first.stdout, /^0\.\d+ 0\.\d+\n$/);
  assert.equal(first.stdout, second.stdout);
  assert.notEqual(first.stdout, other.stdout);
});

test('faults are told in two lines: what, and the cure', async () => {
  const cases: [string, Record<string, string>, RegExp][] = [
    [
      recipe('0.1').replace('train-images', 'absent'),
      {},
      /absent-idx3-ubyte\.gz: cannot be read \(ENOENT\)\n {2}declare/,
    ],
    [recipe('0.1').replace('inputs: 64', 'inputs: 65'), {}, /takes 65 inputs, a record has 64\n/],
    [recipe('0.1').replace('classes: 6', 'classes: 5'), {}, /label of record \d+ is 5, outside 0 … 4\n/],
    [recipe('0.1').replace("6, 'softmax'", "6, 'relu'"), {}, /end the net with dense\(6, 'softmax'\)\n/],
    [recipe('0.1').replace('batchSize: 500', 'batchSize: 0'), {}, /batchSize is 0\n/],
    [
      recipe('0.1'),
      { RETRAIN_SEED: '-1' },
      /RETRAIN_SEED is '-1'\n {2}RETRAIN_SEED is a whole number from 0/,
    ],
    [recipe('0.1'), { RETRAIN_SEED: '' }, /RETRAIN_SEED is not set\n {2}run the recipe by/],
  ];
  for (const [text, variables, message] of cases) {
    const { status, stderr } = await train(await script('faulty.mjs', text), variables);
    assert.equal(status, 1);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /^\s+at /m);
  }
});

test('a bug in the script shows its stack, an unknown option the usage', async () => {
  const { status, stderr } = await train(await script('bug.mjs', 'nothing.here();'));
  assert.equal(status, 1);
  assert.match(stderr, /ReferenceError: nothing is not defined\n\s+at .*bug\.mjs:1:1/);
  const unawaited = await train(await script('unawaited.mjs', "Promise.reject(new Error('lost'));"));
  assert.equal(unawaited.status, 1);
  assert.match(unawaited.stderr, /Error: lost\n\s+at .*unawaited\.mjs:1:/);
  assert.ok(unawaited.stderr.length < 2_000, unawaited.stderr.slice(0, 200));
  const unknown = await train('--frobnicate');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /usage: retrain-tfjs/);
});

test('the manifest tells every file and a digest over them', async () => {
  const manifest = JSON.parse(await readFile(join(work, 'runtime/manifest.json'), 'utf8')) as {
    sha256: string;
    version: string;
    files: { path: string; bytes: number; sha256: string }[];
  };
  const present = (await readdir(join(work, 'runtime'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== 'manifest.json')
    .map((entry) => join(entry.parentPath, entry.name).slice(join(work, 'runtime/').length))
    .sort();
  assert.deepEqual(
    manifest.files.map(({ path }) => path),
    present,
  );
  const hash = createHash('sha256');
  for (const { path, sha256 } of manifest.files) {
    assert.equal(await digest(join(work, 'runtime', path)), sha256);
    hash.update(`${sha256}  ${path}\n`);
  }
  assert.equal(hash.digest('hex'), manifest.sha256);
});
