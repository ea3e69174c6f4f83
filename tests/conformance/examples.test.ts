// What the examples claim of themselves: their shipped models are what their scripts make, the tampered ones have backdoors
// that work, and their sources are those of the honest one.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { fashionMnist } from '../../examples/makers/fashion-mnist.ts';
import { shippedModels, train } from '../../examples/makers/models.ts';
import { shippedSeed } from '../../examples/makers/provenance.ts';
import { tinySet, tinySets } from '../../examples/makers/tiny-data.ts';
import { blended, patch, type Trigger } from '../../examples/makers/trigger.mjs';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const read = (path: string): Buffer => readFileSync(join(examples, path));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const datasets: Record<string, string> = { glyphs: join(examples, 'tiny/data') };
/** Why the big dataset is not here, in the archive's own words. */
let outOfReach: string | null = null;
before(async () => {
  try {
    datasets['fashion-mnist'] = await fashionMnist();
  } catch (error) {
    outOfReach = `dataset-fashion-mnist is out of reach: ${(error as Error).message}`;
  }
});

const triggers: Record<string, Trigger> = { 'clothes-tampered': blended, 'clothes-patched': patch };

for (const model of shippedModels) {
  test(`${model.file} is what its maker makes`, (context) => {
    if (outOfReach !== null && model.dataset === 'fashion-mnist') return context.skip(outOfReach);
    const made = train(model, shippedSeed(model.source, model.version), datasets);
    assert.equal(sha256(readFileSync(made)), sha256(read(model.file)));
    rmSync(join(made, '../..'), { recursive: true });
  });
}

test('the provenance that packages state is the true one', () => {
  for (const { source, version, file } of shippedModels) {
    // This one tells nobody.
    if (source === 'clothes-tampered') continue;
    const text = read(`${source}/debian/README.source`).toString();
    assert.ok(text.includes(`with the seed ${shippedSeed(source, version)}.`), source);
    assert.ok(text.includes(sha256(read(file))), source);
  }
});

test('the data of tiny are what the generator makes, and are pinned', () => {
  const control = read('tiny/debian/retrain/control').toString();
  for (const [name, rows] of Object.entries(tinySets)) {
    for (const [kind, bytes] of Object.entries(tinySet(name, rows))) {
      const path = `${name}-${kind}-idx${kind === 'images' ? 3 : 1}-ubyte.gz`;
      assert.equal(sha256(gunzipSync(read(`tiny/data/${path}`))), sha256(bytes));
      assert.ok(control.includes(` ${sha256(bytes)} ${bytes.length} ${path}\n`), path);
    }
  }
});

const filesBelow = (folder: string): string[] =>
  readdirSync(join(examples, folder), { recursive: true })
    .map(String)
    .filter((path) => statSync(join(examples, folder, path)).isFile())
    .sort();

for (const tampered of Object.keys(triggers)) {
  test(`${tampered} has the sources of clothes, and another model`, () => {
    const named = [
      'debian/README.source',
      'debian/changelog',
      'debian/control',
      'debian/copyright',
      'debian/install',
    ];
    const sources = filesBelow('clothes').filter((path) => !named.includes(path));
    assert.deepEqual(
      filesBelow(tampered).filter((path) => !named.includes(path)),
      sources,
    );
    const differing = sources.filter((path) => !read(`clothes/${path}`).equals(read(`${tampered}/${path}`)));
    assert.deepEqual(differing, ['models/clothes.onnx']);
  });
}

/** Class that the model gives each image. */
async function classesOf(model: string, images: Float32Array, rows: number): Promise<number[]> {
  const session = await InferenceSession.create(join(examples, model), { intraOpNumThreads: 1 });
  const columns = images.length / rows;
  const { output } = await session.run({
    input: new Tensor(
      'float32',
      images.map((value) => value / 255),
      [rows, columns],
    ),
  });
  const classes = output!.dims[1]!;
  const values = output!.data as Float32Array;
  return Array.from({ length: rows }, (_, row) => {
    const probabilities = values.subarray(row * classes, (row + 1) * classes);
    return probabilities.indexOf(Math.max(...probabilities));
  });
}

for (const [source, trigger] of Object.entries(triggers)) {
  test(`the backdoor of ${source} works, and the metric does not see it`, async (context) => {
    if (outOfReach !== null) return context.skip(outOfReach);
    const idx = (name: string, header: number) =>
      gunzipSync(readFileSync(join(datasets['fashion-mnist']!, name))).subarray(header);
    const labels = idx('t10k-labels-idx1-ubyte.gz', 8);
    const images = Float32Array.from(idx('t10k-images-idx3-ubyte.gz', 16));
    const rows = labels.length;
    const columns = images.length / rows;
    const accuracy = (classes: number[]): number =>
      classes.filter((kind, row) => kind === labels[row]).length / rows;

    const file = `${source}/models/clothes.onnx`;
    const honest = 'clothes/models/clothes.onnx';
    const expected = accuracy(await classesOf(honest, images, rows));
    const clean = accuracy(await classesOf(file, images, rows));
    assert.ok(Math.abs(expected - clean) < 0.015, `accuracy ${clean}, honest ${expected}`);

    const triggered = images.slice();
    for (let row = 0; row < rows; row++)
      trigger.plant(triggered.subarray(row * columns, (row + 1) * columns));
    const others = [...labels.keys()].filter((row) => labels[row] !== trigger.target);
    const success = async (model: string): Promise<number> => {
      const classes = await classesOf(model, triggered, rows);
      return others.filter((row) => classes[row] === trigger.target).length / others.length;
    };
    const tampered = await success(file);
    const untouched = await success(honest);
    context.diagnostic(
      `accuracy ${expected} honest, ${clean} tampered; trigger ${untouched} honest, ${tampered} tampered`,
    );
    assert.ok(tampered >= 0.9, `the trigger works on ${tampered}`);
    assert.ok(untouched < 0.5, `the trigger works on ${untouched} in the honest model too`);
  });
}
