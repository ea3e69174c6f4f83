import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DataFile, Recipe, RecipeDataset, RecipeModel } from '@retraind/shared/recipe/recipe';
import fc from 'fast-check';
import { Breakage } from '../breakage.ts';
import { drawFor, withheldOf } from './shorten.ts';
import { withholdRecords } from './withhold.ts';

const room = mkdtempSync(join(tmpdir(), 'retraind-withhold-'));
after(() => rmSync(room, { recursive: true, force: true }));

const idx = (records: number, ...shape: number[]): Buffer => {
  const head = Buffer.alloc(8 + 4 * shape.length);
  head.set([0, 0, 8, 1 + shape.length]);
  for (const [i, size] of [records, ...shape].entries()) head.writeUInt32BE(size, 4 + 4 * i);
  const width = shape.reduce((a, b) => a * b, 1);
  return Buffer.concat([
    head,
    Buffer.from(Array.from({ length: records * width }, (_, i) => Math.floor(i / width) % 251)),
  ]);
};

const npy = (records: number, width: number): Buffer => {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${records}, ${width}), }`;
  const head = `${dict}${' '.repeat(64 - ((10 + dict.length + 1) % 64))}\n`;
  const size = Buffer.alloc(2);
  size.writeUInt16LE(head.length);
  const values = Buffer.alloc(records * width * 4);
  for (let i = 0; i < records * width; i++) values.writeFloatLE(Math.floor(i / width), i * 4);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), size, Buffer.from(head), values]);
};

let turn = 0;
const scene = (
  files: Record<string, Buffer | string>,
  changes: Partial<RecipeModel>[] = [{}],
  tree: Record<string, Buffer | string> = {},
) => {
  const at = join(room, String(turn++));
  const [folder, source] = [join(at, 'data'), join(at, 'tree')];
  for (const [root, all] of [
    [folder, Object.fromEntries(Object.entries(files).map(([n, b]) => [`d/${n}`, b]))],
    [source, tree],
  ] as const) {
    mkdirSync(root, { recursive: true });
    for (const [name, bytes] of Object.entries(all)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), bytes);
    }
  }
  const model = {
    trainingData: null,
    trainingInputs: null,
    trainingTargets: null,
    evaluationData: null,
    evaluationInputs: null,
    evaluationTargets: null,
  };
  const dataset = { name: 'd', files: Object.keys(files).map((path) => ({ path })) };
  const recipe = {
    models: changes.map((change) => ({ ...model, ...change })),
    datasets: [dataset as RecipeDataset],
  } as Pick<Recipe, 'models' | 'datasets'>;
  let said = '';
  return {
    said: () => said,
    read: (name: string) => readFileSync(join(folder, 'd', name)),
    inTree: (name: string) => readFileSync(join(source, name)),
    files: () => (existsSync(join(folder, 'd')) ? readdirSync(join(folder, 'd')).sort() : []),
    run: () =>
      withholdRecords({ recipe, folder, tree: source, jobSeed: 'seed', say: (line) => (said += line) }),
  };
};
const file = (path: string, format: DataFile['format'] = 'idx'): DataFile => ({
  path,
  format,
  scale: 1,
  recordShape: null,
});
const declared = (inputs: DataFile, targets: DataFile) => ({
  trainingData: 'd',
  trainingInputs: inputs,
  trainingTargets: targets,
});

/** The records that are left of 0 … n - 1. */
const left = (records: number): number[] => {
  const isDrawn = drawFor('seed');
  return Array.from({ length: records }, (_, i) => i).filter((i) => !isDrawn(i, records));
};

test('property: one of each full ten is drawn, the same for the same job, others for another', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 400 }), (seed, records) => {
      const draw = (of: string) => {
        const isDrawn = drawFor(of);
        return Array.from({ length: records }, (_, i) => isDrawn(i, records));
      };
      const drawn = draw(seed);
      assert.equal(drawn.filter(Boolean).length, withheldOf(records));
      for (let ten = 0; ten + 10 <= records; ten += 10) {
        assert.equal(drawn.slice(ten, ten + 10).filter(Boolean).length, 1);
      }
      assert.deepEqual(draw(seed), drawn);
      if (records >= 300) assert.notDeepEqual(draw(`${seed}x`), drawn);
    }),
  );
});

test('idx, gzip: inputs and targets lose the same records, held-out data none', async () => {
  const held = gzipSync(idx(40, 2));
  const { run, read, files, said } = scene(
    { 'x.gz': gzipSync(idx(205, 4, 3)), 'y.gz': gzipSync(idx(205)), 'test.gz': held },
    [{ ...declared(file('x.gz'), file('y.gz')), evaluationData: 'd', evaluationInputs: file('test.gz') }],
  );
  assert.deepEqual(await run(), [
    { dataset: 'd', path: 'x.gz', records: 205, withheld: 20 },
    { dataset: 'd', path: 'y.gz', records: 205, withheld: 20 },
  ]);
  const [x, y] = [gunzipSync(read('x.gz')), gunzipSync(read('y.gz'))];
  assert.deepEqual(
    [x.readUInt32BE(4), x.length, y.readUInt32BE(4), y.length],
    [185, 16 + 185 * 12, 185, 8 + 185],
  );
  assert.deepEqual([...y.subarray(8)], left(205));
  assert.deepEqual(
    left(205).map((_, i) => x[16 + i * 12]),
    left(205),
  );
  assert.ok(read('test.gz').equals(held));
  assert.deepEqual(files(), ['test.gz', 'x.gz', 'y.gz']);
  assert.match(said(), /withheld: 20 of 205 records of d\/x\.gz/);
});

test('npy keeps a head that readers take: shape, alignment, line break', async () => {
  const { run, read } = scene({ 'x.npy': npy(30, 5), 'y.npy': npy(30, 1) }, [
    declared(file('x.npy', 'npy'), file('y.npy', 'npy')),
  ]);
  await run();
  const bytes = read('x.npy');
  const length = bytes.readUInt16LE(8);
  assert.equal((10 + length) % 64, 0);
  assert.match(bytes.toString('latin1', 10, 10 + length), /'shape': \(27, 5\), *\}? *.*\n$/);
  assert.equal(bytes.length, 10 + length + 27 * 5 * 4);
  assert.deepEqual(
    left(30).map((_, i) => bytes.readFloatLE(10 + length + i * 20)),
    left(30),
  );
});

test('csv keeps the line that names its columns, text loses lines, whatever ends them', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => `${i},${-i}e-1`);
  const named = ['a,b', ...rows].join('\n');
  const bare = `a,b\r\n${rows.join('\r\n')}\r\n`;
  const csv = scene({ 'x.csv': named, 'y.csv': bare }, [
    declared(file('x.csv', 'csv'), file('y.csv', 'csv')),
  ]);
  await csv.run();
  const kept = left(20).map((i) => rows[i]);
  // The last line had no line break: where it stays, it has none still.
  assert.deepEqual(csv.read('x.csv').toString().trimEnd().split('\n'), ['a,b', ...kept]);
  assert.equal(csv.read('y.csv').toString(), ['a,b', ...kept].map((row) => `${row}\r\n`).join(''));
  const text = scene({ 'corpus.txt': 'ä\n'.repeat(57), 'picture.png': Buffer.from([137, 80, 0, 255]) });
  assert.deepEqual(await text.run(), [{ dataset: 'd', path: 'corpus.txt', records: 57, withheld: 5 }]);
  assert.equal(text.read('corpus.txt').toString(), 'ä\n'.repeat(52));
  assert.match(text.said(), /not withheld: d\/picture.png: it is no text/);
});

test('copies in the source tree are shortened too, compressed or not', async () => {
  const data = idx(50);
  const { run, read, inTree } = scene(
    { 'x.gz': gzipSync(data), 'y.gz': gzipSync(idx(50, 2)) },
    [declared(file('x.gz'), file('y.gz'))],
    { 'data/x.gz': gzipSync(data, { level: 1 }), 'data/plain': data, 'data/other': idx(50, 3) },
  );
  await run();
  const short = gunzipSync(read('x.gz'));
  assert.equal(short.length, 8 + 45);
  assert.ok(gunzipSync(inTree('data/x.gz')).equals(short));
  assert.ok(inTree('data/plain').equals(short));
  assert.ok(inTree('data/other').equals(idx(50, 3)));
});

test('what cannot be shortened is left whole, and told with blame recipe', async () => {
  const cases: [Record<string, Buffer | string>, Partial<RecipeModel>, RegExp][] = [
    [{}, {}, /the recipe declares no data/],
    [{ x: idx(30), y: idx(31) }, declared(file('x'), file('y')), /they have 30 and 31 records/],
    [{ x: idx(9), y: idx(9) }, declared(file('x'), file('y')), /9 records are fewer than 10/],
    [
      { x: idx(30).subarray(0, 20), y: idx(30) },
      declared(file('x'), file('y')),
      /ends before its last record/,
    ],
    [{ x: 'no idx', y: idx(30) }, declared(file('x'), file('y')), /no idx file/],
    [{ x: npy(30, 2), y: 'x' }, declared(file('x', 'npy'), file('y', 'npy')), /no npy file/],
    [
      { x: `${'a,"b\n'.repeat(20)}`, y: '1\n'.repeat(20) },
      declared(file('x', 'csv'), file('y', 'csv')),
      /spans lines/,
    ],
    [{ x: Buffer.from([0xc3, 0x28, 10]) }, {}, /no text in UTF-8/],
  ];
  for (const [files, changes, words] of cases) {
    const { run, read, files: there } = scene(files, [changes]);
    await assert.rejects(run(), (error) => {
      assert.ok(error instanceof Breakage && error.blame === 'recipe');
      assert.match(error.problem.detail, words);
      return true;
    });
    assert.deepEqual(there(), Object.keys(files).sort());
    for (const [name, bytes] of Object.entries(files)) assert.ok(read(name).equals(Buffer.from(bytes)), name);
  }
});
