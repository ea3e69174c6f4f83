import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecipe } from './control.ts';

const anthy = `Retrain-Format: 1.0

Model: anthy.dic
File: anthy-common:/usr/share/anthy/anthy.dic
Output: anthy.dic
Comparison: bitwise
License: LGPL-2+
`;

test('machines and tags are words, none where nothing is said', () => {
  const of = (machines: string, tags: string) =>
    parseRecipe(anthy.replace('1.0\n', `1.0\nArchitecture: ${machines}\nTags: ${tags}\n`));
  const { recipe } = of('amd64 arm64', 'big-memory cuda12.4 big-memory');
  assert.deepEqual(
    [recipe?.machines, recipe?.tags],
    [
      ['amd64', 'arm64'],
      ['big-memory', 'cuda12.4'],
    ],
  );
  assert.deepEqual([parseRecipe(anthy).recipe?.machines, parseRecipe(anthy).recipe?.tags], [[], []]);
  const faulty = of('amd64, ARM64', 'big memory <x>');
  assert.deepEqual(
    faulty.faults.map(({ field, message }) => [field, message]),
    [
      ['Architecture', '`amd64,` is no word for Architecture'],
      ['Architecture', '`ARM64` is no word for Architecture'],
      ['Tags', '`<x>` is no word for Tags'],
    ],
  );
});
