// A run that is killed and started again gives the file of an undisturbed one, bit for bit.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeTensors, encodeTensors } from '../tensor-file.ts';

const command = fileURLToPath(new URL('../../bin/retrain-tfjs.mjs', import.meta.url));
const glyphs = fileURLToPath(new URL('../../../../examples/tiny/data', import.meta.url));
const work = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(work, { recursive: true, force: true }));
before(async () => {
  await mkdir(join(work, 'data'));
  await symlink(glyphs, join(work, 'data/glyphs'));
});

/** Everything that a checkpoint must hold: averages, masks, Adam's powers, schedule, early stop, Math.random, two trainings. */
const recipe = (how: { compile: boolean; rate?: number; units?: number }) => `
import { activation, batchNorm, cosineRate, dense, dropout, fit, inputs, labels, onnxBytes, optimizer, readIdx, saveOnnx, tf } from 'retrain-tfjs';
// A run that is to be disturbed takes its time over each batch: the signal must meet it while it trains.
const slowly = (set) => process.env.SLOWLY === undefined ? set : {
  ...set,
  gather(...args) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    return set.gather(...args);
  },
};
const set = async (name) => ({
  inputs: slowly(inputs(await readIdx(\`glyphs/\${name}-images-idx3-ubyte.gz\`), { scale: 1 / 255 })),
  labels: labels(await readIdx(\`glyphs/\${name}-labels-idx1-ubyte.gz\`), { classes: 6 }),
});
const net = () => tf.sequential({
  layers: [dense(${how.units ?? 16}, 'linear', { inputs: 64 }), batchNorm(), activation('relu'), dropout(0.2), dense(6, 'softmax')],
});
for (const name of ['first', 'second']) {
  const model = net();
  await fit(model, {
    ...(await set('train')),
    validation: await set('test'),
    optimizer: optimizer(name === 'first' ? 'adamW' : 'momentum', ${how.rate ?? 0.01}),
    schedule: cosineRate(${how.rate ?? 0.01}),
    earlyStop: { patience: 9 },
    batchSize: 48,
    epochs: 7,
    compile: ${how.compile},
    checkpointEvery: 0.1,
  });
  console.log(name, Math.random());
  await saveOnnx(model, \`\${name}.onnx\`);
}
`;

interface Ended {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

class Run {
  readonly folder: string;
  readonly #text: string;
  readonly #engine: string;

  constructor(name: string, text: string, engine = 'wasm') {
    this.folder = join(work, name);
    this.#text = text;
    this.#engine = engine;
  }

  get checkpoint(): string {
    return join(this.folder, 'checkpoint');
  }

  /** One process. `disturb` may send it a signal while it runs. */
  async start(
    disturb?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>,
    seed = '7',
  ): Promise<Ended> {
    await mkdir(join(this.folder, 'out'), { recursive: true });
    await writeFile(join(this.folder, 'train.mjs'), this.#text);
    const child = spawn(
      process.execPath,
      [command, '--engine', this.#engine, join(this.folder, 'train.mjs')],
      {
        env: {
          ...process.env,
          RETRAIN_DATA: join(work, 'data'),
          RETRAIN_OUT: join(this.folder, 'out'),
          RETRAIN_CHECKPOINT: this.checkpoint,
          RETRAIN_METRICS: join(this.folder, 'metrics'),
          RETRAIN_SEED: seed,
          ...(disturb ? { SLOWLY: '' } : {}),
        },
      },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
    });
    await disturb?.((signal) => child.kill(signal));
    return ended;
  }

  async digests(): Promise<string[]> {
    const files = ['first.onnx', 'second.onnx'].map((name) => readFile(join(this.folder, 'out', name)));
    return (await Promise.all(files)).map((bytes) => createHash('sha256').update(bytes).digest('hex'));
  }

  async metrics(): Promise<Record<string, unknown>[]> {
    const text = await readFile(join(this.folder, 'metrics'), 'utf8');
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  /** Waits until a checkpoint of the n-th training has been there for some steps. */
  async reaches(fit: number): Promise<void> {
    const path = join(this.checkpoint, `fit-${fit}.safetensors`);
    for (let waited = 0; !existsSync(path); waited += 5) {
      assert.ok(waited < 60_000, 'no checkpoint after a minute');
      await sleep(5);
    }
    await sleep(150);
  }
}

const ways: [engine: string, compile: boolean][] = [
  ['wasm', false],
  ['wasm', true],
  ['tfjs-node', true],
];

for (const [engine, compile] of ways) {
  const mode = compile ? 'compiled' : 'eager';
  test(`killed twice, told to end once: the same file (${engine}, ${mode})`, async (context) => {
    const whole = new Run(`whole-${engine}-${mode}`, recipe({ compile }), engine);
    const undisturbed = await whole.start();
    const missing = undisturbed.stderr.match(/no engine opens \((.*)\)/)?.[1];
    if (missing) return context.skip(missing);
    assert.equal(undisturbed.status, 0, undisturbed.stderr);

    const run = new Run(`killed-${engine}-${mode}`, recipe({ compile }), engine);
    const killed = await run.start(async (kill) => {
      await run.reaches(1);
      kill('SIGKILL');
    });
    assert.equal(killed.signal, 'SIGKILL', killed.stderr);
    assert.ok((await readdir(run.checkpoint)).includes('fit-1.safetensors'));

    const told = await run.start(async (kill) => {
      await run.reaches(2);
      kill('SIGTERM');
    });
    assert.match(told.stderr, /^goes on after step \d+ of 294, from its checkpoint$/m);
    assert.equal(told.status, 143, told.stderr);
    assert.match(told.stderr, /^retrain-tfjs: stopped by SIGTERM after step \d+ of 294$/m);
    const why = (await run.metrics()).at(-1)!;
    assert.match(String(why.tempfail), /^stopped by SIGTERM after step/);

    const last = await run.start();
    assert.equal(last.status, 0, last.stderr);
    assert.deepEqual(await run.digests(), await whole.digests());
    assert.equal(last.stdout, undisturbed.stdout);
    const modes = (await run.metrics()).filter((line) => 'stepMode' in line).map((line) => line.stepMode);
    assert.deepEqual([...new Set(modes)], [mode]);
  });
}

test('a checkpoint of another recipe, and a broken one, are refused', async () => {
  const run = new Run('refused', recipe({ compile: true }));
  const ended = await run.start(async (kill) => {
    await run.reaches(1);
    kill('SIGTERM');
  });
  assert.equal(ended.status, 143, ended.stderr);
  const cases: [string, string, string][] = [
    [recipe({ compile: true, rate: 0.02 }), '7', 'learning rate'],
    [recipe({ compile: true, units: 17 }), '7', 'net'],
    [recipe({ compile: true }).replace("'adamW'", "'adam'"), '7', 'optimizer'],
    [
      recipe({ compile: true }).replace('batchSize: 48', 'batchSize: 49'),
      '7',
      'learning rate, data, settings',
    ],
    [recipe({ compile: true }).replace('scale: 1 / 255', 'scale: 1 / 256'), '7', 'data'],
    [recipe({ compile: true }), '8', 'net, data, seed'],
  ];
  for (const [text, seed, differs] of cases) {
    await rm(join(work, 'other'), { recursive: true, force: true });
    const other = new Run('other', text);
    await mkdir(other.checkpoint, { recursive: true });
    const bytes = await readFile(join(run.checkpoint, 'fit-1.safetensors'));
    await writeFile(join(other.checkpoint, 'fit-1.safetensors'), bytes);
    const { status, stderr } = await other.start(undefined, seed);
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(
        `fit-1\\.safetensors: is a checkpoint of another recipe \\(not the same: ${differs}\\)\\n {2}empty the folder`,
      ),
    );
  }
  const path = join(run.checkpoint, 'fit-1.safetensors');
  const bytes = await readFile(path);
  const { tensors, json } = decodeTensors(bytes, path);
  const lost = { ...(json as object), position: { epoch: 1, step: -3 } };
  await writeFile(path, Buffer.concat(encodeTensors(tensors, lost)));
  assert.match((await run.start()).stderr, /fit-1\.safetensors: does not say where it stood\n/);
  bytes[bytes.length - 3]! ^= 1;
  await writeFile(path, bytes);
  const broken = await run.start();
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /fit-1\.safetensors: its values have another digest than its header says\n/);
});

test('a checkpoint of another engine is no fault: it trains anew', async () => {
  const run = new Run('engine', recipe({ compile: true }));
  const ended = await run.start(async (kill) => {
    await run.reaches(1);
    kill('SIGTERM');
  });
  assert.equal(ended.status, 143, ended.stderr);
  const path = join(run.checkpoint, 'fit-1.safetensors');
  const { tensors, json } = decodeTensors(await readFile(path), path);
  const { recipe: own } = json as { recipe: object };
  const other = { ...(json as object), recipe: { ...own, engine: 'abacus (beads of 1821)' } };
  await writeFile(path, Buffer.concat(encodeTensors(tensors, other)));
  const anew = await run.start();
  assert.equal(anew.status, 0, anew.stderr);
  assert.match(anew.stderr, /^trains anew: the checkpoint is of the engine abacus \(beads of 1821\)$/m);
  assert.doesNotMatch(anew.stderr, /goes on after step/);
  assert.deepEqual(await run.digests(), await new Run('whole-wasm-compiled', '').digests());
});
