// Who may import whom (docs/explanation/architecture.md), the purity of `shared`, and the length of files.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Our own rooms that each room may import besides itself. */
const mayImport: Record<string, readonly string[]> = {
  'packages/shared': [],
  'packages/pipeline': [],
  'packages/host': ['shared'],
  prisma: ['shared'],
  'apps/api': ['shared', 'prisma', 'host'],
  'apps/scheduler': ['shared', 'prisma', 'host'],
  'apps/worker': ['shared', 'host'],
  'apps/cli': ['shared', 'host', 'worker'],
  'infra/gpu': ['pipeline'],
};

/** Libraries that may be imported in these rooms only. */
const keptTo: Record<string, readonly string[]> = {
  bullmq: ['apps/scheduler', 'apps/worker'],
  ioredis: ['apps/scheduler', 'apps/worker'],
  '@prisma': ['prisma'],
  pg: ['prisma', 'apps/scheduler', 'apps/worker', 'packages/host'],
  'onnxruntime-node': ['apps/worker'],
  '@tensorflow': ['packages/pipeline', 'apps/worker/src/runtime'],
  fastify: ['apps/api'],
  preact: ['apps/api'],
};

const sharedMayUse = ['typebox', '@stdlib/', 'node:crypto'];

function* sources(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    if (['node_modules', 'generated', 'build', 'public', 'migrations'].includes(name)) continue;
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* sources(path);
    else if (/\.(ts|tsx|mjs)$/.test(name) && !name.endsWith('.d.ts')) yield path;
  }
}

const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\()\s*'([^']+)'/g)].map((match) => match[1]!);

const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);

for (const [room, allowed] of Object.entries(mayImport)) {
  test(`${room} imports only what it may`, () => {
    const faults: string[] = [];
    for (const path of sources(join(root, room))) {
      const file = relative(root, path);
      for (const name of importsOf(readFileSync(path, 'utf8'))) {
        const own = name.match(/^@retraind\/([a-z]+)/)?.[1];
        const pipelineInRuntime = own === 'pipeline' && file.startsWith('apps/worker/src/runtime/');
        if (own && !room.endsWith(own) && !allowed.includes(own) && !pipelineInRuntime && !isTest(file)) {
          faults.push(`${file} imports ${name}`);
        }
        const kept = Object.entries(keptTo).find(
          ([library]) => name === library || name.startsWith(`${library}/`),
        );
        if (kept && !kept[1].some((place) => file.startsWith(place)) && !isTest(file)) {
          faults.push(`${file} imports ${name}, which is kept to ${kept[1].join(', ')}`);
        }
        const support = isTest(file) && /(^|\/)tests\/support\//.test(name);
        if (
          name.startsWith('..') &&
          !support &&
          !relative(join(root, room), join(path, '..', name)).match(/^(?!\.\.)/)
        ) {
          faults.push(`${file} leaves its room by ${name}`);
        }
      }
    }
    assert.deepEqual(faults, []);
  });
}

test('shared is pure: no I/O, clock, random, environment', () => {
  const faults: string[] = [];
  for (const path of sources(join(root, 'packages/shared/src'))) {
    if (isTest(path)) continue;
    const text = readFileSync(path, 'utf8');
    const file = relative(root, path);
    for (const name of importsOf(text)) {
      if (!name.startsWith('.') && !sharedMayUse.some((allowed) => name.startsWith(allowed))) {
        faults.push(`${file} imports ${name}`);
      }
    }
    for (const impure of [
      /\bMath\.random\b/,
      /\bDate\.now\b/,
      /\bnew Date\(\)/,
      /\bprocess\./,
      /\bfetch\(/,
      /\bset(Timeout|Interval)\(/,
    ]) {
      if (impure.test(text)) faults.push(`${file} uses ${impure.source}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('no file is longer than 400 lines', () => {
  const long = ['packages', 'prisma', 'apps', 'tests', 'scripts', 'infra', 'bench', 'examples']
    .map((folder) => join(root, folder))
    .filter(existsSync)
    .flatMap((folder) => [...sources(folder)])
    .map((path) => ({ file: relative(root, path), lines: readFileSync(path, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > 400);
  assert.deepEqual(long, []);
});
