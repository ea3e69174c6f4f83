// Imported nets against onnxruntime: what the pipeline writes, and what others shipped.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { wasm } from '@retraind/pipeline/engine/wasm';
import { nets, stir, tokenNets } from '@retraind/pipeline/onnx/nets.fixture';
import { onnxBytes } from '@retraind/pipeline/onnx/write';
import { readOnnx } from '../onnx/model.ts';
import { assertSame, recordOf } from './conformance.fixture.ts';
import { importOnnx } from './import.ts';

before(async () => {
  process.env.RETRAIN_SEED = '7';
  await wasm.open();
});

/** Layers whose operators have no gradient towards the input, or none here. */
const refusedNets: Record<string, string> = {
  'an LSTM, its last output': 'operator LSTM',
  'LSTMs on each other, as tfjs makes them': 'operator LSTM',
  GRUs: 'operator GRU',
  'simple recurrent layers': 'operator RNN',
  'an embedding, flat': 'operator Cast to ONNX type 7',
  'an embedding before an LSTM': 'operator LSTM',
};

for (const [name, make] of Object.entries({ ...nets, ...tokenNets })) {
  const refusal = refusedNets[name];
  test(`what the pipeline writes: ${name}${refusal ? ' is refused' : ''}`, async () => {
    const bytes = await onnxBytes(stir(make()));
    if (refusal) assert.deepEqual(importOnnx(readOnnx(bytes), recordOf(bytes)), { refused: refusal });
    else await assertSame(bytes);
  });
}

const root = new URL('../../../../../', import.meta.url);
/** The last is one that others trained and shipped; it lies beside a checkout, or beside the folder of several. */
const shipped: [path: string, endsWithSoftmax: boolean][] = [
  ['examples/clothes/models/clothes.onnx', true],
  ['examples/clothes-tampered/models/clothes.onnx', true],
  ['examples/tiny/models/tiny.onnx', true],
  ['../shared/data/fashion-mlp/fashion-mlp.onnx', false],
  ['../../shared/data/fashion-mlp/fashion-mlp.onnx', false],
];
for (const [path, endsWithSoftmax] of shipped) {
  test(`a shipped model: ${path}`, async (context) => {
    const at = fileURLToPath(new URL(path, root));
    if (!existsSync(at)) return context.skip(`${path} is not here`);
    assert.equal(await assertSame(readFileSync(at)), endsWithSoftmax);
  });
}
