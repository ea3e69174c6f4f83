// The evaluator as a program, on files that hold tensors and no graph.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import type { EvaluationAnswer, EvaluationRequest } from './evaluation.ts';
import { gnubgBinaryBytes, gnubgNets, gnubgTextBytes, safetensorsBytes } from './formats/samples.ts';
import { modelDigest, readOnnx } from './onnx/model.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-evaluate-'));
after(() => rmSync(room, { recursive: true, force: true }));
const program = fileURLToPath(new URL('./evaluate.ts', import.meta.url));
const tiny = fileURLToPath(new URL('../../../../examples/tiny/models/tiny.onnx', import.meta.url));

const evaluate = async (
  file: Uint8Array,
  more: Partial<EvaluationRequest> = {},
): Promise<EvaluationAnswer> => {
  const request: EvaluationRequest = {
    model: join(room, 'file'),
    ortFolder: '',
    outFolder: room,
    statistical: null,
    ...more,
  };
  writeFileSync(request.model, file);
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

test('gnubg’s text and binary have one digest, whoever wrote them', async () => {
  let value = 0;
  const nets = gnubgNets(
    Array.from({ length: 6 }, () => [3, 2, 1] as [number, number, number]),
    () => {
      value += 0.25;
      return value;
    },
  );
  const text = await evaluate(gnubgTextBytes(nets), { mayBeOther: true });
  const binary = await evaluate(gnubgBinaryBytes(nets), { mayBeOther: true });
  assert.match(text.tensorSha256!, /^[0-9a-f]{64}$/);
  assert.equal(text.tensorSha256, binary.tensorSha256);
  const cut = await evaluate(gnubgBinaryBytes(nets).subarray(0, 60), { mayBeOther: true });
  assert.match(cut.refused!, /truncated/);
});

test('metadata of safetensors does not count, and no statistics are made of it', async () => {
  const tensors = [{ name: 'w', shape: [2], values: [1, 2] }];
  const one = await evaluate(safetensorsBytes(tensors));
  const other = await evaluate(safetensorsBytes(tensors, { made: 'on another day' }));
  assert.equal(one.tensorSha256, other.tensorSha256);
  assert.notEqual(one.tensorSha256, null);
  const statistical = { task: 'classification', metric: null, net: null, train: null, slices: null };
  const asked = await evaluate(safetensorsBytes(tensors), { statistical: statistical as never });
  assert.match(asked.refused!, /format safetensors.*Comparison: bitwise/);
});

test('a file whose name promises nothing is judged by its bytes; ONNX has the digest that it had', async () => {
  const other = await evaluate(Buffer.from('weights of a kind of their own'), { mayBeOther: true });
  assert.deepEqual([other.refused, other.tensorSha256], [null, null]);
  assert.notEqual((await evaluate(Buffer.from('no model'))).refused, null);
  const onnx = await evaluate(readFileSync(tiny));
  assert.equal(onnx.tensorSha256, modelDigest(readOnnx(readFileSync(tiny))));
});
