// Texts made to cost time: each parser of this room must take them in a moment. A quadratic one would take minutes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripClearSign } from './clear-sign.ts';
import { parseRecipe } from './control.ts';
import { parseDeb822 } from './deb822.ts';
import { readMakefile } from './makefile.ts';
import { parseRelations } from './relation.ts';
import { parseTag } from './tag.ts';

const blanks = ' '.repeat(200_000);
const model = (i: number): string =>
  `\nModel: m${i}\nFile: m${i}\nOutput: o${i}\nComparison: bitwise\nLicense: x\nTraining-Data: d\nTraining-Inputs: ${i} (idx)\nTraining-Targets: ${i} (idx)\n`;

const hostile: [name: string, read: () => unknown][] = [
  ['blanks inside a line', () => parseDeb822(`A: x${blanks}y\n b${blanks}c\n`)],
  ['blanks in a name', () => parseDeb822(`A${blanks}b: 1\n`)],
  ['blanks in a relation', () => parseRelations(`a${blanks}!`)],
  ['brackets in a relation', () => parseRelations(`a${'<'.repeat(200_000)}`)],
  ['profiles without end', () => parseRelations(`a${' <b>'.repeat(50_000)} !`)],
  ['many alternatives', () => parseRelations('a|'.repeat(100_000))],
  [
    'blanks in a signature mark',
    () => stripClearSign(`-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----END${blanks}x\n`),
  ],
  ['blanks in a makefile', () => readMakefile(`${blanks}\na${blanks}b\nA${blanks}:${blanks}x\n`)],
  [
    'a makefile that doubles',
    () => readMakefile(`A=aaaaaaaa\n${'A+=$(A) $(A)\nx$(A): $(A)\n'.repeat(2_000)}`),
  ],
  ['a makefile of one long line', () => readMakefile('a \\\n'.repeat(100_000))],
  [
    'a tag of blanks',
    () => parseTag(`XS-Retrain: a${blanks}b\nXS-Retrain-Accelerator: ${'none|'.repeat(40_000)}\n`),
  ],
  [
    'many unknown fields',
    () =>
      parseRecipe(
        `Retrain-Format: 1.0\n${Array.from({ length: 120_000 }, (_, i) => `${i % 90 ? '' : '\n'}F${i}:\n`).join('')}`,
      ),
  ],
  [
    'brackets in a data file',
    () => parseRecipe(`Retrain-Format: 1.0\n\nModel: m\nTraining-Inputs: ${'('.repeat(8_000)}\n`),
  ],
  [
    'many models, many files',
    () =>
      parseRecipe(
        `Retrain-Format: 1.0\n${Array.from({ length: 1_500 }, (_, i) => model(i)).join('')}\nDataset: d\nTransport: in-source\nLicense: x\nChecksums-Sha256:\n${Array.from({ length: 9_000 }, (_, i) => ` ${'a'.repeat(64)} 1 f${i}\n`).join('')}`,
      ),
  ],
];

for (const [name, read] of hostile) {
  test(`hostile: ${name}`, () => {
    const from = performance.now();
    read();
    const seconds = (performance.now() - from) / 1_000;
    assert.ok(seconds < 5, `took ${seconds.toFixed(1)} s`);
  });
}
