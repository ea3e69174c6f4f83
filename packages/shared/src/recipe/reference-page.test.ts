// docs/reference/recipe.md is the contract: its tables of fields are those of the parser, its example has no fault, and it
// names every variable, policy and transport. `UPDATE_REFERENCE=1` rewrites the tables.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseRecipe } from './control.ts';
import { supportedTransports } from './dataset-stanza.ts';
import { runEnvironment } from './environment.ts';
import { type FieldRow, fieldTable, tagFields } from './fields.ts';
import { policies, transports } from './recipe.ts';

const path = fileURLToPath(new URL('../../../../docs/reference/recipe.md', import.meta.url));
const page = readFileSync(path, 'utf8');

const tableOf = (rows: readonly FieldRow[]): string =>
  [
    '| field | required | value |',
    '|---|---|---|',
    ...rows.map(
      ({ name, required, form }) => `| \`${name}\` | ${required} | ${form.replaceAll('|', '\\|')} |`,
    ),
  ].join('\n');

const tables = { tag: tagFields, ...fieldTable };
const rewritten = Object.entries(tables).reduce(
  (text, [kind, rows]) =>
    text.replace(
      new RegExp(`(<!-- fields: ${kind} -->\\n)[\\s\\S]*?(<!-- end -->)`),
      (_, before: string, after: string) => `${before}${tableOf(rows)}\n${after}`,
    ),
  page,
);
if (process.env.UPDATE_REFERENCE) writeFileSync(path, rewritten);

for (const [kind, rows] of Object.entries(tables)) {
  test(`the page's table of ${kind} fields is the parser's`, () => {
    assert.ok(
      page.includes(`<!-- fields: ${kind} -->\n${tableOf(rows)}\n<!-- end -->`),
      'run with UPDATE_REFERENCE=1',
    );
  });
}

test('the page’s example has no fault', () => {
  const example = /```\n(Retrain-Format:[\s\S]*?)```/.exec(page)?.[1];
  assert.ok(example);
  const { recipe, faults } = parseRecipe(example);
  assert.deepEqual(faults, []);
  assert.equal(recipe?.models[0]?.name, 'clothes');
});

test('the page names every variable, policy and transport', () => {
  const places = { data: '', out: '', home: '', metricsFile: '', checkpoint: '', path: '', tfjsNode: '' };
  const values = {
    seed: 1,
    numerics: 0,
    accelerator: 'none',
    deviceVariables: {},
    sourceDateEpoch: 0,
    parallel: 1,
  };
  for (const name of Object.keys(runEnvironment(places, values)))
    assert.ok(page.includes(`\`${name}\``), name);
  for (const policy of policies) assert.ok(page.includes(`| ${policy} |`), policy);
  for (const transport of transports) assert.ok(page.includes(transport), transport);
  const form = fieldTable.dataset.find(({ name }) => name === 'Transport')!.form;
  const [supported, unsupported] = form.split(';') as [string, string];
  for (const transport of transports) {
    const isSupported = (supportedTransports as readonly string[]).includes(transport);
    assert.ok((isSupported ? supported : unsupported).includes(transport), transport);
  }
});
