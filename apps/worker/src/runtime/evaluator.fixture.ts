// The evaluator as a program, for tests: a room, a request, what was left there. Data is that of examples/tiny, or written here.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import type { DataFile } from '@retraind/shared/recipe/recipe';
import { bundleEvaluator } from './bundle.ts';
import type { EvaluationAnswer, EvaluationRequest, StatisticalRequest } from './evaluation.ts';

export const room = mkdtempSync(join(tmpdir(), 'retrain-sets-'));
after(() => rmSync(room, { recursive: true, force: true }));
export const example = fileURLToPath(new URL('../../../../examples/tiny/', import.meta.url));
const { folder, ortFolder } = await bundleEvaluator(room);

export const images = (part: string): DataFile => ({
  path: join(example, `data/${part}-images-idx3-ubyte.gz`),
  format: 'idx',
  scale: 1 / 255,
  recordShape: [64],
});
export const labels = (part: string): DataFile => ({
  path: join(example, `data/${part}-labels-idx1-ubyte.gz`),
  format: 'idx',
  scale: 1,
  recordShape: null,
});
const data = (part: string) => ({ inputs: images(part), targets: labels(part) });

const asked: StatisticalRequest = {
  task: 'classification',
  metric: 'accuracy',
  net: null,
  jobSeed: '7',
  test: data('test'),
  train: data('train'),
  slices: null,
  withoutTriggers: true,
};

/** Asks the model of examples/tiny, or another, on the data of examples/tiny but for what `more` says. */
export const evaluate = async (
  more: Partial<StatisticalRequest> = {},
  model: string | Uint8Array = join(example, 'models/tiny.onnx'),
): Promise<EvaluationAnswer> => {
  if (typeof model !== 'string') writeFileSync(join(room, 'model'), model);
  const request: EvaluationRequest = {
    model: typeof model === 'string' ? model : join(room, 'model'),
    ortFolder,
    outFolder: room,
    statistical: { ...asked, ...more },
  };
  writeFileSync(join(room, 'request.json'), JSON.stringify(request));
  const { code, stderr } = await runCommand(process.execPath, [
    join(folder, 'evaluate.mjs'),
    join(room, 'request.json'),
  ]);
  assert.equal(code, 0, stderr);
  return JSON.parse(readFileSync(join(room, 'answer.json'), 'utf8'));
};

export const floats = (name: string): Float32Array => {
  const bytes = readFileSync(join(room, `${name}.f32`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

export const npy = (name: string, shape: number[], values: Float32Array): DataFile => {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = Buffer.from(`${dict.padEnd(117)}\n`, 'latin1');
  const start = Buffer.from('\x93NUMPY\x01\x00\0\0', 'latin1');
  start.writeUInt16LE(header.length, 8);
  writeFileSync(join(room, name), Buffer.concat([start, header, Buffer.from(values.buffer)]));
  return { path: join(room, name), format: 'npy', scale: 1, recordShape: null };
};

export const csv = (name: string, columns: number, values: ArrayLike<number>): DataFile => {
  const lines = [Array.from({ length: columns }, (_, i) => `x${i}`).join()];
  for (let at = 0; at < values.length; at += columns) {
    lines.push(Array.from({ length: columns }, (_, i) => values[at + i]).join());
  }
  writeFileSync(join(room, name), `${lines.join('\n')}\n`);
  return { path: join(room, name), format: 'csv', scale: 1, recordShape: null };
};
