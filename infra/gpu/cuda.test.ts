import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeast, lacks, nvidiaWheels } from './cuda.ts';
import { partsDigest, tensorflowWheels } from './parts.ts';

const here = (versions: Record<string, string>) => (soname: string) =>
  soname in versions ? `/usr/lib/${soname.split('.so')[0]}.so.${versions[soname]}` : null;

const fit = {
  'libcudart.so.12': '12.6.77',
  'libcublas.so.12': '12.6.4.1',
  'libcublasLt.so.12': '12.6.4.1',
  'libcufft.so.11': '11.3.0.4',
  'libcusolver.so.11': '11.7.1.2',
  'libcusparse.so.12': '12.5.4.2',
  'libnvJitLink.so.12': '12.6.85',
  'libcudnn.so.9': '9.5.1',
};

test('versions compare by number, part by part', () => {
  assert.ok(atLeast('12.10.1', '12.9'));
  assert.ok(atLeast('9.3.0', '9.3.0'));
  assert.ok(!atLeast('12.4.127', '12.5.82'));
  assert.ok(!atLeast('12', '12.5'));
});

test("a machine's own CUDA is taken where all of it is new enough", () => {
  assert.deepEqual(lacks(here(fit)), []);
  assert.deepEqual(lacks(here({ ...fit, 'libcudart.so.12': '12.2.140' })), [
    'libcudart.so.12 is 12.2.140, older than 12.5.82',
  ]);
  const { 'libcudnn.so.9': _, ...without } = fit;
  assert.deepEqual(lacks(here(without)), ['libcudnn.so.9 is missing']);
  assert.equal(lacks(() => null).length, 8);
});

test('the wheels hold every library that a bare machine lacks', () => {
  const places = nvidiaWheels.flatMap((wheel) => Object.values(wheel.takes));
  for (const soname of Object.keys(fit))
    assert.ok(
      places.some((place) => place.endsWith(`/lib/${soname}`)),
      soname,
    );
});

test('another set of wheels is another folder', () => {
  const alone = partsDigest('cuda', [tensorflowWheels.cuda]);
  assert.notEqual(alone, partsDigest('cuda', [tensorflowWheels.cuda, ...nvidiaWheels]));
  assert.notEqual(alone, partsDigest('cpu', [tensorflowWheels.cpu]));
});
