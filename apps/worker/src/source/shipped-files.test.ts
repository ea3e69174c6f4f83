import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RecipeModel } from '@retraind/shared/recipe/recipe';
import { takeOutShipped } from './shipped-files.ts';

const room = mkdtempSync(join(tmpdir(), 'retrain-shipped-'));
after(() => rmSync(room, { recursive: true, force: true }));

test('two nets of one file: it is taken out once and judged twice', async () => {
  const [tree, folder] = [join(room, 'tree'), join(room, 'references')];
  for (const each of [tree, folder]) mkdirSync(each);
  writeFileSync(join(tree, 'gnubg.wd'), 'six nets');
  const model = (name: string, net: RecipeModel['net']) =>
    ({ name, net, file: { kind: 'tree', path: 'gnubg.wd' }, readsShipped: false }) as RecipeModel;
  const references = await takeOutShipped({
    models: [model('contact', 'contact'), model('race', 'race')],
    tree,
    folder,
    packageFolder: () => assert.fail('no package is asked for'),
    override: null,
    companionsOf: async () => [],
    say: () => undefined,
  });
  assert.equal(existsSync(join(tree, 'gnubg.wd')), false);
  assert.equal(references.length, 2);
  assert.equal(references[0]!.sha256, references[1]!.sha256);
  for (const { path } of references) assert.equal(readFileSync(path, 'utf8'), 'six nets');
});
