// Nets of GNU Backgammon against a computation that is written here on its own, from the documented formula.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openModelFile } from './formats/formats.ts';
import { gnubgBinaryBytes, gnubgNets, gnubgTextBytes } from './formats/samples.ts';
import { openNet } from './gnubg-net.ts';
import { heldRecords } from './records.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-gnubg-'));
after(() => rmSync(room, { recursive: true, force: true }));

let state = 1;
/** Uniform over -2..2, exact in float32 and as decimal text. */
const next = (): number => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return ((state >> 15) - 2 ** 15) / 2 ** 14;
};
// As gnubg's own are laid out: contact and crashed alike, the race shorter, the pruning nets shorter still.
const sizes: [number, number, number][] = [
  [25, 12, 5],
  [21, 12, 5],
  [25, 12, 5],
  [20, 4, 5],
  [20, 4, 5],
  [20, 3, 5],
];
const nets = gnubgNets(sizes, next);

const open = (content: Uint8Array, net: Parameters<typeof openNet>[1]) => {
  writeFileSync(join(room, 'nets'), content);
  const file = openModelFile(join(room, 'nets'));
  return openNet(file, net);
};

/** Half of the inputs are 0, as of a position. */
const records = (rows: number, width: number) =>
  heldRecords(
    [width],
    Float32Array.from({ length: rows * width }, () => Math.max(0, next())),
  );

/** output_k = 1 / (1 + exp(-betaOutput (threshold_k + Σ_j w_kj / (1 + exp(-betaHidden (threshold_j + Σ_i x_i w_ij)))))). */
const expected = (which: number, record: Float32Array): number[] => {
  const [inputs, hidden, outputs] = sizes[which]!;
  const { values, beta } = nets[which]!;
  const [betaHidden, betaOutput] = beta as [number, number];
  const outputAt = inputs * hidden;
  const thresholdAt = outputAt + outputs * hidden;
  return Array.from({ length: outputs }, (_, k) => {
    let sum = values[thresholdAt + hidden + k]!;
    for (let j = 0; j < hidden; j++) {
      let inner = values[thresholdAt + j]!;
      for (let i = 0; i < inputs; i++) inner += record[i]! * values[i * hidden + j]!;
      sum += values[outputAt + k * hidden + j]! / (1 + Math.exp(-Math.fround(betaHidden) * inner));
    }
    return 1 / (1 + Math.exp(-Math.fround(betaOutput) * sum));
  });
};

test('text and binary give the documented formula, each net by its name', async () => {
  const names = ['contact', 'race', 'crashed', 'pruning-contact', 'pruning-crashed', 'pruning-race'] as const;
  for (const [which, name] of names.entries()) {
    const width = sizes[which]![0];
    const asked = records(5_000, width);
    const outputs = await open(gnubgBinaryBytes(nets), name)(asked);
    assert.deepEqual([outputs.rows, outputs.columns], [5_000, 5]);
    for (const row of [0, 1, 4_095, 4_096, 4_999]) {
      const own = expected(which, asked.values.subarray(row * width, (row + 1) * width));
      own.forEach((value, k) => {
        assert.ok(Math.abs(outputs.values[row * 5 + k]! - value) < 1e-6, `${name}, row ${row}, output ${k}`);
      });
    }
    assert.deepEqual((await open(gnubgTextBytes(nets), name)(asked)).values, outputs.values);
    assert.ok(new Set(outputs.values).size > 1_000);
  }
});

test('one net of a width is found by it; two are asked for by name, and a width that none has is told', async () => {
  const race = records(3, 21);
  assert.deepEqual(
    await open(gnubgBinaryBytes(nets), null)(race),
    await open(gnubgBinaryBytes(nets), 'race')(race),
  );
  await assert.rejects(
    open(gnubgBinaryBytes(nets), null)(records(1, 25)),
    /nets contact and crashed take records of 25 values: say which by `Net`/,
  );
  await assert.rejects(
    open(gnubgBinaryBytes(nets), 'race')(records(1, 25)),
    /net race does not take records of 25 values \(contact 25, race 21, crashed 25, /,
  );
  await assert.rejects(
    open(gnubgBinaryBytes(nets), null)(records(1, 7)),
    /no net of it takes records of 7 values/,
  );
});
