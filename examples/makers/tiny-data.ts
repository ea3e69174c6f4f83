// Makes the data of examples/tiny: grey 8x8 images of six glyphs, shifted, worn and speckled, as gzipped IDX.
// A function of the constants below only.   node --import tsx examples/makers/tiny-data.ts [FOLDER]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import seedrandom from 'seedrandom';

const side = 8;
/** A pixel of the glyph is lit with this probability, any other with that: a small net then errs on every tenth image. */
const kept = 0.85;
const speckled = 0.06;
/** Four levels of grey, so that the files stay small. */
const levels = [0, 85, 170, 255];

const glyphs = [
  '........ ........ .######. .######. ........ ........ ........ ........',
  '........ ...##... ...##... ...##... ...##... ...##... ...##... ........',
  '........ .#...... .##..... ..##.... ...##... ....##.. .....##. ........',
  '........ ......#. .....##. ....##.. ...##... ..##.... .##..... ........',
  '........ ..####.. .#....#. .#....#. .#....#. .#....#. ..####.. ........',
  '........ ...#.... ...#.... .#####.. ...#.... ...#.... ........ ........',
].map((rows) => rows.split(' '));

function idx(dims: number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt8(8, 2);
  header.writeUInt8(dims.length, 3);
  for (const [axis, length] of dims.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, values]);
}

/** IDX bytes of `rows` images and their labels; `name` seeds the generator. */
export function tinySet(name: string, rows: number): { images: Buffer; labels: Buffer } {
  const next = seedrandom.alea(`retraind examples/tiny ${name}`);
  const below = (count: number): number => Math.floor(next() * count);
  const images = new Uint8Array(rows * side * side);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = below(glyphs.length);
    labels[row] = label;
    const [down, right] = [below(3) - 1, below(3) - 1];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const ink = glyphs[label]![y - down]?.[x - right] === '#';
        const lit = next() < (ink ? kept : speckled);
        images[(row * side + y) * side + x] = lit ? levels[1 + below(3)]! : 0;
      }
    }
  }
  return { images: idx([rows, side, side], images), labels: idx([rows], labels) };
}

export const tinySets = { train: 2_000, test: 1_500 } as const;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? fileURLToPath(new URL('../tiny/data', import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [name, rows] of Object.entries(tinySets)) {
    const { images, labels } = tinySet(name, rows);
    writeFileSync(join(folder, `${name}-images-idx3-ubyte.gz`), gzipSync(images, { level: 9 }));
    writeFileSync(join(folder, `${name}-labels-idx1-ubyte.gz`), gzipSync(labels, { level: 9 }));
  }
}
