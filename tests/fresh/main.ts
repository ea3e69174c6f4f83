// npm run test:fresh: the README's commands on a machine that has only Node, npm and git's checkout. Needs root and the archive.
//   npm run test:fresh [-- --demo-only | --test-only] [-- --keep]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureTools } from '@retraind/host/debian-tools';
import { cloneHead, copyRoot, makeRoot, networkEnvironment } from './root.ts';

const { values } = parseArgs({
  options: {
    'demo-only': { type: 'boolean', default: false },
    'test-only': { type: 'boolean', default: false },
    /** Leaves the roots behind for a look. */
    keep: { type: 'boolean', default: false },
  },
});

if (process.getuid?.() !== 0) {
  console.error('fresh: a root file system can only be made by root: sudo npm run test:fresh');
  process.exit(2);
}

const repository = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('enter.sh', import.meta.url));
const since = (start: number): string => `${((performance.now() - start) / 1_000).toFixed(0)} s`;

/** Runs a command line in the root; its exit status. */
const runInside = async (root: string, command: string): Promise<number> => {
  const environment = {
    ...networkEnvironment(),
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
  };
  const args = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    'sh',
    script,
    root,
    `cd /root/retraind && ${command}`,
  ];
  const child = spawn('unshare', args, { stdio: ['ignore', 'inherit', 'inherit'], env: environment });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
};

const work = mkdtempSync(join(tmpdir(), 'retraind-fresh-'));
const wishes = [
  { name: 'demo', wanted: !values['test-only'], command: 'npm ci && npm run demo -- --exit' },
  { name: 'test', wanted: !values['demo-only'], command: 'npm ci && npm test' },
].filter(({ wanted }) => wanted);

let failed = false;
try {
  await ensureTools(['git', 'mmdebstrap']);
  let start = performance.now();
  const base = join(work, 'base');
  console.error('fresh: making a minbase root');
  await makeRoot(base);
  await cloneHead(repository, join(base, 'root/retraind'));
  console.error(`fresh: the root stands after ${since(start)}`);
  for (const { name, command } of wishes) {
    const root = join(work, name);
    await copyRoot(base, root);
    console.error(`fresh: ${command}`);
    start = performance.now();
    const code = await runInside(root, command);
    console.error(`fresh: ${name} ends with ${code} after ${since(start)}`);
    failed ||= code !== 0;
  }
} finally {
  if (values.keep) console.error(`fresh: the roots are kept in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
