// Every recipe of this repository, examples and overlays, is without fault by the parser that the farm uses.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lint } from '@retraind/shared/recipe/lint';

const root = fileURLToPath(new URL('../..', import.meta.url));

for (const [room, rulesPath] of [
  ['examples', 'debian/rules'],
  ['recipes', 'debian/retrain/rules'],
] as const) {
  for (const name of readdirSync(join(root, room))) {
    const tree = join(root, room, name);
    const text = (path: string): string | null =>
      existsSync(join(tree, path)) ? readFileSync(join(tree, path), 'utf8') : null;
    if (text('debian/retrain/control') === null) continue;
    test(`${room}/${name} has no fault`, () => {
      const isOverlay = room === 'recipes';
      const { recipe, faults } = lint({
        control: text('debian/retrain/control'),
        debianControl: text('debian/control'),
        rulesPath,
        rules: text(rulesPath),
        rulesIsExecutable: (statSync(join(tree, rulesPath)).mode & 0o111) !== 0,
        isOverlay,
        sourceFormat: text('debian/source/format'),
        includeBinaries: text('debian/source/include-binaries'),
        // The package under an overlay is not here: its files are taken as there, but for one named as the target.
        exists: (path) => (isOverlay ? path.includes('/') : existsSync(join(tree, path))),
      });
      assert.deepEqual(faults, []);
      assert.ok(recipe);
    });
  }
}
