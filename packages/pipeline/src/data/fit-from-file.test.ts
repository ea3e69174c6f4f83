// `fit` on a set in a file: the bits of the set in memory, and no more memory for a set that is larger.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(folder, { recursive: true, force: true }));

const header = (dims: number[]): Buffer => {
  const bytes = Buffer.alloc(4 + 4 * dims.length);
  bytes.set([0, 0, 8, dims.length]);
  for (const [axis, length] of dims.entries()) bytes.writeUInt32BE(length, 4 + 4 * axis);
  return bytes;
};

/** Trains in a process of its own; what it prints, as JSON: a digest of the weights and the most memory it had. */
function train(read: string, { batchSize, columns }: { batchSize: number; columns: number }) {
  const from = (file: string): string => JSON.stringify(new URL(`../${file}`, import.meta.url).href);
  const script = `
    import { createHash } from 'node:crypto';
    import { dense, fit, inputs, labels, openEngine, openIdx, readIdx, tf } from ${from('api.ts')};
    await openEngine('wasm');
    const images = inputs(await ${read}(process.argv[1]), { scale: 1 / 255 });
    const kinds = labels(await ${read}(process.argv[2]), { classes: 3 });
    const model = tf.sequential({ layers: [dense(3, 'softmax', { inputs: ${columns} })] });
    await fit(model, { inputs: images, labels: kinds, optimizer: tf.train.sgd(0.1), batchSize: ${batchSize}, epochs: 1 });
    const hash = createHash('sha256');
    for (const weights of model.getWeights()) hash.update(new Uint8Array((await weights.data()).buffer));
    console.log(JSON.stringify({ digest: hash.digest('hex'), most: process.resourceUsage().maxRSS * 1024 }));
  `;
  return (images: string, kinds: string): { digest: string; most: number } => {
    const ended = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script, images, kinds],
      { encoding: 'utf8', env: { ...process.env, RETRAIN_SEED: '7', RETRAIN_METRICS: '' } },
    );
    assert.match(ended.stdout, /^\{"digest"/m, ended.stderr);
    return JSON.parse(ended.stdout.trim().split('\n').at(-1)!);
  };
}

test('the weights are the same bits, from memory, from a file and from gzip', async () => {
  const [rows, columns] = [500, 30];
  const pixels = Buffer.from(Array.from({ length: rows * columns }, (_, i) => (i * 7_919) % 251));
  const content = Buffer.concat([header([rows, columns]), pixels]);
  const [plain, packed, kinds] = ['plain', 'packed', 'kinds'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(plain, content);
  await writeFile(packed, gzipSync(content));
  await writeFile(
    kinds,
    Buffer.concat([header([rows]), Buffer.from(Array.from({ length: rows }, (_, i) => i % 3))]),
  );
  const options = { batchSize: 64, columns };
  const expected = train('readIdx', options)(plain, kinds).digest;
  assert.equal(train('openIdx', options)(plain, kinds).digest, expected);
  assert.equal(train('openIdx', options)(packed, kinds).digest, expected);
});

test('a set of 400 MB is trained from in the memory of a small one', async () => {
  const columns = 4_000;
  const measure = async (rows: number): Promise<number> => {
    const [images, kinds] = [join(folder, 'sparse'), join(folder, 'zeros')];
    await writeFile(images, header([rows, columns]));
    await truncate(images, 12 + rows * columns);
    await writeFile(kinds, Buffer.concat([header([rows]), Buffer.alloc(rows)]));
    return train('openIdx', { batchSize: 500, columns })(images, kinds).most;
  };
  const small = await measure(5_000);
  const large = await measure(100_000);
  assert.ok(large < small + 100e6, `${large} bytes, ${small} for a twentieth of the set`);
});
