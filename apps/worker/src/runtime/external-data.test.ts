// A model whose values lie in a file beside it is the same model: the same digest, the same answers, and its files are named.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { evaluate, example, floats, room } from './evaluator.fixture.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;

/** The example with its initializers in `location`; the offsets as `place` has them. */
const external = (location: string, place: (at: number) => number = (at) => at) => {
  const model = ModelProto.decode(readFileSync(join(example, 'models/tiny.onnx')));
  const parts: Buffer[] = [];
  let at = 0;
  for (const tensor of model.graph!.initializer!) {
    const values = Buffer.from(tensor.rawData!);
    parts.push(values);
    const said = { location, offset: place(at), length: values.length };
    tensor.externalData = Object.entries(said).map(([key, value]) => ({ key, value: String(value) }));
    tensor.dataLocation = TensorProto.DataLocation.EXTERNAL;
    tensor.rawData = new Uint8Array(0);
    at += values.length;
  }
  return { model: ModelProto.encode(model).finish(), values: Buffer.concat(parts) };
};

test('values beside the model give what values in it give', async () => {
  const whole = await evaluate();
  const answers = floats('test');
  assert.deepEqual(whole.companions, []);
  const { model, values } = external('tiny.data');
  writeFileSync(join(room, 'tiny.data'), values);
  const split = await evaluate({}, model);
  assert.deepEqual([split.refused, split.faults], [null, []]);
  assert.deepEqual(split.companions, ['tiny.data']);
  assert.equal(split.tensorSha256, whole.tensorSha256);
  assert.equal(split.weightNorm, whole.weightNorm);
  assert.deepEqual(floats('test'), answers);
  // One bit of the other file, and it is another model.
  values[100]! ^= 1;
  writeFileSync(join(room, 'tiny.data'), values);
  assert.notEqual((await evaluate({}, model)).tensorSha256, whole.tensorSha256);
});

test('what overlaps, is missing, cut, or leads out is refused by name', async () => {
  const { values } = external('x');
  writeFileSync(join(room, 'tiny.data'), values);
  writeFileSync(join(room, 'cut.data'), values.subarray(0, 50));
  symlinkSync('/etc/passwd', join(room, 'out.data'));
  const refusals: [Uint8Array, RegExp][] = [
    [external('tiny.data', () => 0).model, /overlap at byte 0/],
    [external('absent.data').model, /"absent\.data" is not there/],
    [external('cut.data').model, /beyond the end \(50 bytes\)/],
    [external('out.data').model, /a link that leads out/],
    [external('../tiny.data').model, /leads out of the model’s folder/],
    [external('/etc/passwd').model, /no path relative to the model/],
  ];
  for (const [model, sentence] of refusals) assert.match((await evaluate({}, model)).refused!, sentence);
});
