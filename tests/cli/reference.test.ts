// No file that is made from code is stale.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { referencePages } from '../../scripts/reference-pages.ts';

for (const [path, make] of Object.entries(referencePages)) {
  test(`${path} is what the code says (npm run reference)`, async () => {
    const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
    assert.equal(await readFile(file, 'utf8'), await make());
  });
}
