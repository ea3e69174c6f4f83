// The generated reference of the command line is not stale.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cliReference } from '../../apps/cli/src/reference.ts';

test('docs/reference/cli.md is what the verbs say (npm run reference)', async () => {
  const path = fileURLToPath(new URL('../../docs/reference/cli.md', import.meta.url));
  assert.equal(await readFile(path, 'utf8'), cliReference());
});
