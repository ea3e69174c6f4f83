// Runs the tests with node:test. Node 20 expands no globs, so the files are listed here.
//   npm test                      everything
//   npm test -- tests/architecture packages/shared     the test files under these paths
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const rooms = ['packages', 'prisma', 'apps', 'infra', 'bench', 'tests'];

function* testFiles(path) {
  if (!statSync(path).isDirectory()) {
    if (/\.test\.tsx?$/.test(path)) yield path;
    return;
  }
  for (const name of readdirSync(path).sort()) {
    if (name === 'node_modules' || name === 'generated') continue;
    yield* testFiles(join(path, name));
  }
}

const wanted = process.argv.slice(2);
const paths = (wanted.length > 0 ? wanted : rooms).map((path) =>
  join(root, relative(root, join(root, path))),
);
const files = paths.flatMap((path) => [...testFiles(path)]);
if (files.length === 0) {
  console.error(`no test files under ${wanted.join(' ')}`);
  process.exit(1);
}
// One PostgreSQL for all files that want a database; it ends with its stdin, so with us, however we end.
const startPostgres = async () => {
  const keeper = spawn(
    process.execPath,
    ['--import', 'tsx', join(root, 'tests/support/postgres-keeper.ts')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: root,
    },
  );
  for await (const line of createInterface({ input: keeper.stdout })) return { TEST_DATABASE_URL: line };
  console.error('no PostgreSQL for the tests');
  process.exit(1);
};

/** Whether a file or what it imports by a relative path asks for a database. */
const seen = new Set();
const asksForDatabase = (file) => {
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  if (text.includes('support/database') || file.endsWith('support/database.ts')) return true;
  const imports = [...text.matchAll(/from '(\.[^']+\.tsx?)'/g)].map((match) => join(dirname(file), match[1]));
  return imports.some(asksForDatabase);
};

const wantsDatabase = files.some(asksForDatabase);
const env = { ...process.env, ...(wantsDatabase ? await startPostgres() : {}) };
const child = spawn(
  process.execPath,
  ['--import', 'tsx', '--test', `--test-concurrency=${cpus().length}`, '--test-reporter=spec', ...files],
  { stdio: 'inherit', cwd: root, env },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : code));
