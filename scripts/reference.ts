// Writes the files that are made from code.
//   npm run reference
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referencePages } from './reference-pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [path, make] of Object.entries(referencePages)) {
  const text = await make();
  const old = await readFile(root + path, 'utf8').catch(() => '');
  if (old === text) continue;
  await mkdir(dirname(root + path), { recursive: true });
  await writeFile(root + path, text);
  console.log(`wrote ${path}`);
}
