import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseRecipe } from './control.ts';

const clothes = readFileSync(
  new URL('../../../../examples/clothes/debian/retrain/control', import.meta.url),
  'utf8',
);
const stanzas = clothes.split('\n\n');

/** The example with its model stanza twice, under two names; `lines` are added to each. */
const twice = (...lines: [string, string]): string => {
  const [model] = stanzas.splice(1, 1, stanzas[1]!);
  const named = lines.map((line, i) => `${line}${model!.replace('Model: clothes', `Model: clothes-${i}`)}`);
  return [stanzas[0], ...named, ...stanzas.slice(2)].join('\n\n');
};

test('one file may be several models, each with its net', () => {
  const { recipe, faults } = parseRecipe(twice('Net: contact\n', 'Net: race\n'));
  assert.deepEqual(faults, []);
  assert.deepEqual(
    recipe!.models.map(({ net }) => net),
    ['contact', 'race'],
  );
  for (const lines of [
    ['', ''],
    ['Net: race\n', 'Net: race\n'],
  ] as [string, string][]) {
    const fields = parseRecipe(twice(...lines)).faults.map(({ field }) => field);
    assert.deepEqual(fields.sort(), ['File', 'Output']);
  }
  assert.match(parseRecipe(twice('Net: rase\n', '')).faults[0]!.cure, /did you mean `race`/);
});
