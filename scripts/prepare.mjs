// What install scripts would have done, as a step of its own: no dependency may run code at install
// (.npmrc: ignore-scripts), so everything generated is made here, and only when it is missing or stale.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (!existsSync(`${root}node_modules/tsx/package.json`)) {
  console.error('retraind: dependencies are missing; type: npm ci');
  process.exit(1);
}

const steps = ['prisma/generate.mjs', 'packages/pipeline/build.mjs'];
for (const step of steps) {
  if (!existsSync(root + step)) continue;
  const { status } = spawnSync(process.execPath, [root + step], { stdio: 'inherit', cwd: root });
  if (status !== 0) process.exit(status ?? 1);
}
