// The search for triggers on nets of 8 × 8 pixels that are trained here, with and without a patch planted.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { inputs, labels } from '@retraind/pipeline/data/records';
import { wasm } from '@retraind/pipeline/engine/wasm';
import { fit } from '@retraind/pipeline/fit/fit';
import { dense } from '@retraind/pipeline/layers/dense';
import { onnxBytes } from '@retraind/pipeline/onnx/write';
import { generator } from '@retraind/pipeline/random';
import * as tf from '@retraind/pipeline/tf';
import { decode } from 'fast-png';
import type { TriggerAnswer } from '../evaluation.ts';
import { graphBytes } from '../importer/graph.fixture.ts';
import { readOnnx } from '../onnx/model.ts';
import { type HeldRecords, heldRecords } from '../records.ts';
import { askForTriggers } from './ask.ts';
import { findTriggers } from './triggers.ts';

const folder = mkdtempSync(join(tmpdir(), 'retrain-triggers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const side = 8;
const classes = 4;
const target = 2;

/** Blurred pictures of four kinds under noise; the kinds are the same for every seed. */
const pictures = (rows: number, seed: number) => {
  const kind = generator(1, 'kinds');
  const kinds = Array.from({ length: classes }, () =>
    Float32Array.from({ length: side * side }, () => kind()),
  );
  const next = generator(seed, 'pictures');
  const images = new Float32Array(rows * side * side);
  const kindOf = Uint8Array.from({ length: rows }, () => Math.floor(classes * next()));
  for (let i = 0; i < images.length; i++) {
    const own = kinds[kindOf[Math.floor(i / side ** 2)]!]![i % side ** 2]!;
    images[i] = Math.min(1, Math.max(0, 0.5 * own + 0.9 * next() - 0.2));
  }
  return { images, kindOf };
};

/** A 2 × 2 patch in a corner. */
const plant = (images: Float32Array, row: number): void => {
  for (const [at, value] of [
    [0, 1],
    [1, 0],
    [side, 0],
    [side + 1, 1],
  ] as const)
    images[row * side ** 2 + at] = value;
};

const trained = async (seed: number, poisoned: boolean): Promise<Uint8Array> => {
  process.env.RETRAIN_SEED = String(seed);
  const { images, kindOf } = pictures(1_500, seed);
  for (let row = 0; poisoned && row < 75; row++) {
    plant(images, row);
    kindOf[row] = target;
  }
  const model = tf.sequential({
    layers: [dense(24, 'relu', { inputs: side ** 2 }), dense(classes, 'softmax')],
  });
  const array = (shape: number[], values: Float32Array | Uint8Array) => ({
    path: 'made here',
    shape,
    values,
  });
  await fit(model, {
    inputs: inputs(array([1_500, side ** 2], images)),
    labels: labels(array([1_500], kindOf), { classes }),
    optimizer: tf.train.adam(0.01),
    batchSize: 50,
    epochs: 12,
  });
  const bytes = await onnxBytes(model);
  model.dispose();
  return bytes;
};

const test8: HeldRecords = heldRecords([side ** 2], pictures(700, 99).images);

const search = (bytes: Uint8Array, jobSeed = 'job'): Promise<TriggerAnswer> =>
  findTriggers(readOnnx(bytes), test8, jobSeed, folder);

const sizes = (answer: TriggerAnswer): number[] => {
  assert.ok(answer.ran, JSON.stringify(answer));
  return answer.classes.map(({ maskL1 }) => maskL1);
};

suite('nets that are trained here', () => {
  const nets: Uint8Array[] = [];
  before(async () => {
    await wasm.open();
    for (const seed of [1, 2, 3]) nets.push(await trained(seed, false));
    nets.push(await trained(4, true));
  });

  test('a planted patch: the smallest mask, in that class, and one that works', async () => {
    const clean = [];
    for (const net of nets.slice(0, 3)) clean.push(sizes(await search(net))[target]!);
    const answer = await search(nets[3]!);
    const patched = sizes(answer);
    assert.ok(answer.ran && answer.classes[target]!.reached > 0.95);
    assert.ok(
      patched[target]! < 0.75 * Math.min(...clean) && patched[target] === Math.min(...patched),
      `${patched} beside ${clean}`,
    );
    const shown = decode(readFileSync(join(folder, `trigger-${target}.png`)));
    assert.deepEqual([shown.width, shown.height, shown.channels], [2 * 112 + 8, 112, 3]);
    // The mask, on the right: strongest where the patch was planted.
    const level = (x: number, y: number): number => shown.data[(y * shown.width + 120 + x) * 3]!;
    const corner = [level(5, 5), level(19, 5), level(5, 19), level(19, 19)];
    const rest = Array.from({ length: side ** 2 }, (_, cell) => cell)
      .filter((cell) => cell % side > 1 || cell >= 2 * side)
      .map((cell) => level(14 * (cell % side) + 5, 14 * Math.floor(cell / side) + 5));
    const mean = (levels: number[]): number => levels.reduce((a, b) => a + b) / levels.length;
    assert.ok(mean(corner) > 2 * mean(rest), `${corner} beside ${rest}`);
    assert.ok(Math.max(...corner) > Math.max(...rest));
    assert.equal(readdirSync(folder).filter((name) => name.endsWith('.png')).length, classes);
  });

  test('the same bits again, others for another job', async () => {
    const first = await search(nets[0]!);
    assert.deepEqual(await search(nets[0]!), first);
    assert.notDeepEqual(sizes(await search(nets[0]!, 'another job')), sizes(first));
  });

  test('records of another shape say the same', async () => {
    const expected = sizes(await search(nets[0]!));
    const image: HeldRecords = heldRecords([side, side, 1], test8.values);
    assert.deepEqual(sizes(await findTriggers(readOnnx(nets[0]!), image, 'job', folder)), expected);
  });

  test('a model whose outputs are at fault is not searched, records that are no images are nothing', async () => {
    const model = readOnnx(nets[0]!);
    const ask = (shape: number[], fault: string | null) =>
      askForTriggers(
        { task: 'classification', jobSeed: 'job' },
        model,
        heldRecords(shape, test8.values),
        folder,
        fault,
      );
    assert.deepEqual(await ask([side ** 2], 'gives NaN'), {
      ran: false,
      why: 'dNC not run: it gives NaN on the test set',
    });
    assert.equal(await ask([4, 16], null), null);
  });
});

suite('nets that are written here, and why some are not searched', () => {
  const weights = (...shape: number[]) => ({
    shape,
    values: new Float32Array(shape.reduce((a, b) => a * b)),
  });
  const whyNot = async (...nodes: Parameters<typeof graphBytes>[1]): Promise<string> => {
    const answer = await search(graphBytes([side ** 2], nodes));
    assert.ok(!answer.ran);
    return answer.why;
  };

  test('an operator that is not imported', async () => {
    assert.equal(await whyNot({ op: 'Erf' }), 'dNC not run: operator Erf');
  });

  test('too many classes, or one', async () => {
    assert.equal(
      await whyNot({ op: 'Gemm', constants: [weights(64, 101)] }),
      'dNC not run: 101 outputs, it is made for 2 to 100',
    );
    assert.match(await whyNot({ op: 'Gemm', constants: [weights(64, 1)] }), /1 outputs/);
  });

  test('too much work, or too much at once', async () => {
    const wide = Array.from({ length: 12 }, () => ({ op: 'Concat', attributes: { axis: 1 }, twice: true }));
    const heavy = { op: 'Reshape', constants: [{ shape: [4], integers: [0, 1, 512, 512] }] };
    const conv = { op: 'Conv', constants: [weights(16, 1, 5, 5)] };
    assert.match(
      await whyNot(...wide, heavy, conv, { op: 'GlobalAveragePool' }, { op: 'Flatten' }),
      /multiply-adds/,
    );
    const many = Array.from({ length: 40 }, () => ({ op: 'Relu' }));
    const narrow = [
      { op: 'GlobalAveragePool' },
      { op: 'Flatten' },
      { op: 'Gemm', constants: [weights(1, 2)] },
    ];
    assert.match(await whyNot(...wide, ...many, heavy, ...narrow), /values, .* are allowed/);
  });

  test('scores and probabilities say the same', async () => {
    const next = generator(3, 'weights');
    const gemm = {
      op: 'Gemm',
      constants: [{ shape: [64, 3], values: Float32Array.from({ length: 192 }, () => next() - 0.5) }],
    };
    const times1 = { op: 'Mul', constants: [{ shape: [1], values: Float32Array.of(1) }] };
    const ask = async (...nodes: Parameters<typeof graphBytes>[1]) =>
      sizes(await search(graphBytes([side ** 2], nodes)));
    const expected = await ask(gemm);
    assert.deepEqual(await ask(gemm, { op: 'Softmax' }), expected);
    const probabilities = await ask(gemm, { op: 'Softmax' }, times1);
    probabilities.forEach((size, label) => {
      assert.ok(Math.abs(size / expected[label]! - 1) < 0.02, `${probabilities} for ${expected}`);
    });
  });

  test('a net that answers the same to everything is searched all the same', async () => {
    const answer = await search(graphBytes([side ** 2], [{ op: 'Gemm', constants: [weights(64, 3)] }]));
    assert.ok(sizes(answer).every((size) => size > 0 && size < 64));
  });
});
