// Makes data/: an invented table of leaves, whose kinds overlap. A function of the constants below only, the same bytes on
// every machine. Put your own table in its place: train.csv for training, and what the farm measures models on as IDX.
//   node debian/retrain/make-table.mjs
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../data', import.meta.url));
const measures = ['length_mm', 'width_mm', 'stalk_mm', 'veins', 'teeth', 'mass_mg'];
/** Mean of each measure, a kind a line. */
const means = {
  oak: [105, 58, 6, 13, 9, 310],
  beech: [82, 54, 11, 13, 3, 215],
  birch: [52, 41, 17, 11, 24, 105],
  alder: [76, 62, 20, 13, 19, 240],
};
/** Standard deviation of each measure. */
const spread = [17, 11, 5, 2.4, 6, 62];
const rows = { train: 5_000, test: 5_000 };

/** Numbers in [0, 1): mulberry32, 32-bit integers only. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = generator(20_260_101);
/** Mean 0, variance 1: a sum of twelve, since the digits of a logarithm may differ between machines. */
const bell = () => Array.from({ length: 12 }, next).reduce((sum, value) => sum + value, -6);

function leaves(count) {
  const kinds = Object.keys(means);
  return Array.from({ length: count }, () => {
    const kind = Math.floor(next() * kinds.length);
    const size = bell();
    const values = means[kinds[kind]].map((mean, i) => {
      // Half of what varies is the leaf's size, in which all measures share.
      const value = mean + spread[i] * (0.7 * size + 0.7 * bell());
      return Math.max(0, Math.round(value));
    });
    return { kind, name: kinds[kind], values };
  });
}

function idx(type, dims, bytes) {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.set([0, 0, type, dims.length]);
  for (const [axis, length] of dims.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, bytes]);
}

mkdirSync(folder, { recursive: true });
const lines = leaves(rows.train).map(({ name, values }) => `${values.join(',')},${name}\n`);
writeFileSync(`${folder}/train.csv`, `${measures.join(',')},kind\n${lines.join('')}`);

const test = leaves(rows.test);
const inputs = Buffer.alloc(4 * rows.test * measures.length);
for (const [row, { values }] of test.entries()) {
  for (const [i, value] of values.entries()) inputs.writeFloatBE(value, 4 * (row * measures.length + i));
}
writeFileSync(`${folder}/test-inputs.idx`, idx(13, [rows.test, measures.length], inputs));
writeFileSync(`${folder}/test-labels.idx`, idx(8, [rows.test], Buffer.from(test.map(({ kind }) => kind))));
