// Writes the reference pages that are made from code; with --check says which are stale (tests/cli/reference.test.ts does).
//   npm run reference
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cliReference } from '../apps/cli/src/reference.ts';

const pages: Record<string, () => string> = {
  'docs/reference/cli.md': cliReference,
};

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [path, make] of Object.entries(pages)) {
  const text = make();
  const old = await readFile(root + path, 'utf8').catch(() => '');
  if (old === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is stale; type: npm run reference`);
    process.exitCode = 1;
  } else {
    await writeFile(root + path, text);
    console.log(`wrote ${path}`);
  }
}
