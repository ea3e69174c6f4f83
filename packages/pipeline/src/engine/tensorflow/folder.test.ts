// What keeps TensorFlow from being opened, each in a process of its own: one line, and the ladder goes on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cacheFolder, type Manifest } from './folder.ts';
import { parallel, tellSettings } from './settings.ts';

const work = mkdtempSync(join(tmpdir(), 'retraind-test-'));
after(() => rmSync(work, { recursive: true, force: true }));
const retrainTfjs = fileURLToPath(new URL('../../../bin/retrain-tfjs.mjs', import.meta.url));
const script = join(work, 'script.mjs');
writeFileSync(
  script,
  `import { tf } from 'retrain-tfjs';
console.log(tf.getBackend(), ...(await tf.matMul([[1, 2]], [[3], [4]]).data()));`,
);

const installed = cacheFolder('cpu');
const skip = existsSync(join(installed, 'manifest.json'))
  ? false
  : 'infra/gpu/install-tfjs-node has not been run';

const start = (folder: string, args: string[] = []) =>
  spawnSync(process.execPath, [retrainTfjs, ...args, script], {
    encoding: 'utf8',
    env: {
      ...process.env,
      RETRAIN_TFJS_NODE: folder,
      RETRAIN_WEBGPU: '',
      RETRAIN_SEED: '1',
      RETRAIN_METRICS: '',
    },
  });

let count = 0;
/** The installed folder by links, with another manifest. */
function copyWith(change: (manifest: Manifest) => void): string {
  const folder = join(work, `folder-${++count}`);
  mkdirSync(folder);
  for (const name of readdirSync(installed)) {
    if (name !== 'manifest.json') symlinkSync(join(installed, name), join(folder, name));
  }
  const manifest = JSON.parse(readFileSync(join(installed, 'manifest.json'), 'utf8')) as Manifest;
  change(manifest);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

function assertRefused(folder: string, reason: RegExp): void {
  const asked = start(folder, ['--engine', 'tfjs-node']);
  assert.equal(asked.status, 1, asked.stderr);
  assert.match(asked.stderr, reason);
  assert.doesNotMatch(asked.stderr, /^\s+at /m);
  const left = start(folder);
  assert.equal(left.status, 0, left.stderr);
  assert.equal(left.stdout, 'wasm 11\n');
  assert.match(left.stderr, /^retrain-tfjs: passed over tfjs-node: /m);
  assert.match(left.stderr, reason);
}

test('a folder that is given is taken unasked, and computes', { skip }, () => {
  const { status, stdout, stderr } = start(installed);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'tensorflow 11\n');
  assert.match(
    stderr,
    /engine tfjs-node \(tfjs 4\.22\.0, TensorFlow 2\.21\.0 sha256 [0-9a-f]{12}, oneDNN, 1 thread, /,
  );
});

test('no folder is given: wasm, whatever is installed', () => {
  assert.equal(start('').stdout, 'wasm 11\n');
});

test('a TensorFlow of another version than the binding was built for', { skip }, () => {
  const folder = copyWith((manifest) => {
    manifest.tensorflow = '2.18.1';
  });
  assertRefused(
    folder,
    /holds TensorFlow 2\.21\.0, its binding was built for 2\.18\.1: run infra\/gpu\/install-tfjs-node/,
  );
});

test('a file that is missing, or cut short', { skip }, () => {
  const missing = copyWith(({ files }) => {
    files[0]!.path = 'deps/lib/libabsent.so';
  });
  assertRefused(missing, /libabsent\.so is missing: run infra\/gpu/);
  const short = copyWith(({ files }) => {
    files[0]!.bytes += 1;
  });
  assertRefused(short, /has \d+ bytes in place of \d+: run infra\/gpu/);
});

test('no folder, no manifest, a manifest that is none', () => {
  assertRefused(join(work, 'nowhere'), /nowhere\/manifest\.json is not there: run infra\/gpu/);
  const broken = join(work, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'manifest.json'), '{');
  assertRefused(broken, /broken\/manifest\.json cannot be read/);
  writeFileSync(join(broken, 'manifest.json'), '{ "format": 9 }');
  assertRefused(broken, /broken is of another format/);
});

test('TensorFlow for the CPU is not taken for a GPU', { skip }, () => {
  const { status, stderr } = start(installed, ['--engine', 'tfjs-node-gpu']);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /tfjs-node-gpu: \S+ holds TensorFlow for the CPU: run infra\/gpu\/install-tfjs-node --cuda/,
  );
});

test('threads come from DEB_BUILD_OPTIONS and are told', () => {
  assert.equal(parallel('nocheck parallel=4'), 4);
  assert.equal(parallel('parallel=0'), 1);
  assert.equal(parallel('notparallel=3'), 1);
  assert.equal(parallel(''), 1);
  assert.equal(tellSettings({ intraOp: 1, interOp: -1, oneDnn: true }), 'oneDNN, 1 thread');
  assert.equal(
    tellSettings({ intraOp: 4, interOp: 2, oneDnn: false }),
    'no oneDNN, 4 threads and 2 between operations',
  );
});
