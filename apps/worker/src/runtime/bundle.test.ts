// The bundle by itself, in a folder that knows nothing of the checkout: it has all that the search for triggers needs.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from '@retraind/host/command';
import type { DataFile } from '@retraind/shared/recipe/recipe';
import { bareEvidence, collectEvidence, evidenceFiles } from '../evidence-files.ts';
import { bundleEvaluator } from './bundle.ts';
import type { EvaluationAnswer, EvaluationRequest } from './evaluation.ts';
import { graphBytes } from './importer/graph.fixture.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-bundle-'));
after(() => rmSync(room, { recursive: true, force: true }));

/** IDX of unsigned bytes. */
const idx = (shape: readonly number[], byteAt: (i: number) => number): Buffer => {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.writeUInt32BE(0x0800 + shape.length);
  for (const [axis, length] of shape.entries()) head.writeUInt32BE(length, 4 + 4 * axis);
  const size = shape.reduce((a, b) => a * b);
  return Buffer.concat([head, Uint8Array.from({ length: size }, (_, i) => byteAt(i))]);
};

test('the bundled evaluator searches triggers, and reads tfjs only then', async () => {
  const evaluator = await bundleEvaluator(room);
  const again = await bundleEvaluator(join(room, 'again'));
  assert.equal(again.version, evaluator.version);
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(room, name), bytes);
    return join(room, name);
  };
  const data = (path: string, recordShape: number[] | null, scale: number): DataFile => ({
    path,
    format: 'idx',
    scale,
    recordShape,
  });
  const weights = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i));
  const gemm = { op: 'Gemm', constants: [{ shape: [64, 3], values: weights }] };
  const request: EvaluationRequest = {
    model: file('model.onnx', graphBytes([64], [gemm, { op: 'Softmax' }])),
    ortFolder: evaluator.ortFolder,
    outFolder: room,
    statistical: {
      task: 'classification',
      metric: 'accuracy',
      jobSeed: '1',
      test: {
        inputs: data(
          file(
            'images.idx',
            idx([90, 8, 8], (i) => (i * 37) % 256),
          ),
          [64],
          1 / 255,
        ),
        targets: data(
          file(
            'labels.idx',
            idx([90], (i) => i % 3),
          ),
          null,
          1,
        ),
      },
      train: null,
      slices: null,
      net: null,
    },
  };
  const evaluate = async (
    withoutTriggers: boolean,
  ): Promise<{ answer: EvaluationAnswer; opened: string }> => {
    const statistical = { ...request.statistical!, withoutTriggers };
    const asked = file('request.json', Buffer.from(JSON.stringify({ ...request, statistical })));
    const { code, stderr } = await runCommand(
      process.execPath,
      [join(evaluator.folder, 'evaluate.mjs'), asked],
      { cwd: room, env: { NODE_DEBUG: 'esm' } },
    );
    assert.equal(code, 0, stderr);
    return { answer: JSON.parse(readFileSync(join(room, 'answer.json'), 'utf8')), opened: stderr };
  };
  const without = await evaluate(true);
  assert.equal(without.answer.triggers, undefined);
  assert.doesNotMatch(without.opened, /triggers-\w+\.mjs/);
  const { answer, opened } = await evaluate(false);
  assert.match(opened, /triggers-\w+\.mjs/);
  assert.ok(answer.triggers?.ran, JSON.stringify(answer));
  assert.equal(answer.triggers.classes.length, 3);
  const evidence = await collectEvidence(room, answer, bareEvidence('', { sha256: '', bytes: 0 }));
  assert.ok(evidence.triggers?.ran);
  assert.equal(new Set(evidence.triggers.classes.map(({ pictureSha256 }) => pictureSha256)).size, 3);
  const named = evidenceFiles(room, evidence).filter((path) => path.endsWith('.png'));
  assert.deepEqual(
    named,
    [0, 1, 2].map((label) => join(room, `trigger-${label}.png`)),
  );
  assert.ok(readdirSync(evaluator.folder).includes('kernels.wasm'));
});
