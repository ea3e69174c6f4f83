// The evaluator as a program, on the example's model and data: every set, its true answers, and what it says of bad data.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import { readIdx } from '@retraind/pipeline/data/idx';
import type { DataFile } from '@retraind/shared/recipe/recipe';
import type { EvaluationAnswer, EvaluationRequest, StatisticalRequest } from './evaluation.ts';
import { measureClasses } from './measure.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-sets-'));
after(() => rmSync(room, { recursive: true, force: true }));
const program = fileURLToPath(new URL('./evaluate.ts', import.meta.url));
const example = fileURLToPath(new URL('../../../../examples/tiny/', import.meta.url));
const ortFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));

const images = (part: string): DataFile => ({
  path: join(example, `data/${part}-images-idx3-ubyte.gz`),
  format: 'idx',
  scale: 1 / 255,
  recordShape: [64],
});
const labels = (part: string): DataFile => ({
  path: join(example, `data/${part}-labels-idx1-ubyte.gz`),
  format: 'idx',
  scale: 1,
  recordShape: null,
});
const data = (part: string) => ({ inputs: images(part), targets: labels(part) });

const asked: StatisticalRequest = {
  task: 'classification',
  metric: 'accuracy',
  jobSeed: '7',
  test: data('test'),
  train: data('train'),
  slices: null,
};

const evaluate = async (more: Partial<StatisticalRequest> = {}): Promise<EvaluationAnswer> => {
  const request: EvaluationRequest = {
    model: join(example, 'models/tiny.onnx'),
    ortFolder,
    outFolder: room,
    statistical: { ...asked, ...more },
  };
  writeFileSync(join(room, 'request.json'), JSON.stringify(request));
  const { code, stderr } = await runCommand(process.execPath, [
    '--import',
    'tsx',
    program,
    join(room, 'request.json'),
  ]);
  assert.equal(code, 0, stderr);
  return JSON.parse(readFileSync(join(room, 'answer.json'), 'utf8'));
};

const floats = (name: string): Float32Array => {
  const bytes = readFileSync(join(room, `${name}.f32`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

test('every set is asked, and true answers lie beside held-out and training data', async () => {
  const answer = await evaluate({ slices: labels('test') });
  assert.equal(answer.refused, null);
  assert.deepEqual(answer.faults, []);
  assert.deepEqual(answer.sets, {
    test: { rows: 1_500, columns: 6 },
    train: { rows: 2_000, columns: 6 },
    noise: { rows: 2_000, columns: 6 },
    patch: { rows: 9_800, columns: 6 },
    mix: { rows: 1_000, columns: 6 },
  });
  assert.deepEqual(answer.targets, { test: { rows: 1_500, columns: 1 }, train: { rows: 2_000, columns: 1 } });
  for (const part of ['test', 'train'] as const) {
    const { values } = await readIdx(labels(part).path);
    assert.deepEqual(floats(`targets-${part}`), Float32Array.from(values));
    const outputs = { ...answer.sets[part]!, values: floats(part) };
    const { accuracy, logLoss } = measureClasses(outputs, values);
    assert.ok(accuracy > 0.8, `${part}: ${accuracy}`);
    if (part === 'test') assert.deepEqual([answer.metric!.value, answer.logLoss], [accuracy, logLoss]);
  }
  assert.deepEqual(answer.slices, { rows: 1_500, columns: 1 });
  assert.deepEqual(floats('slices'), floats('targets-test'));
});

test('training data that is not declared is not asked', async () => {
  const answer = await evaluate({ train: null });
  assert.deepEqual(Object.keys(answer.sets), ['test', 'noise', 'patch', 'mix']);
  assert.deepEqual(Object.keys(answer.targets), ['test']);
});

test('data that does not fit is refused by what is wrong with it', async () => {
  const refusals: [Partial<StatisticalRequest>, RegExp][] = [
    [{ test: { inputs: images('test'), targets: labels('train') } }, /2000 answers for 1500 records/],
    [{ train: { inputs: images('train'), targets: labels('test') } }, /1500 answers for 2000 records/],
    [{ slices: labels('train') }, /2000 x 1 slices for 1500 records/],
    [
      { test: { inputs: { ...images('test'), recordShape: [65] }, targets: labels('test') } },
      /64 values.*not 65/,
    ],
    [
      { train: { inputs: { ...images('train'), recordShape: [8, 8] }, targets: labels('train') } },
      /shape 8x8/,
    ],
    [
      { test: { inputs: images('test'), targets: { ...labels('test'), scale: 0.5 } } },
      /is \d\.5; the model has 6/,
    ],
    [
      { test: { inputs: images('test'), targets: images('test') } },
      /64 numbers an answer, the model needs 1/,
    ],
    [
      { test: { inputs: { ...images('test'), path: join(room, 'absent') }, targets: labels('test') } },
      /ENOENT/,
    ],
  ];
  for (const [wrong, sentence] of refusals) assert.match((await evaluate(wrong)).refused!, sentence);
});
