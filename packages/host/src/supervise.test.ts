import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Supervisor } from './supervise.ts';

const env = { PATH: process.env.PATH ?? '' };
const cwd = '/';
const script = (text: string): [string, ...string[]] => ['/bin/sh', '-c', text];

test('a dead child is started again; stop ends it for good', async () => {
  let deaths = 0;
  const readies: (() => void)[] = [];
  const supervisor = new Supervisor({
    line: (_, line) => {
      if (line === 'ready') readies.shift()?.();
    },
    died: () => {
      deaths += 1;
    },
  });
  const nextReady = () => new Promise<void>((resolve) => readies.push(resolve));
  const first = nextReady();
  await supervisor.start({
    name: 'a',
    argv: script('echo ready; exec sleep 100'),
    env,
    cwd,
    readyWhen: (line) => line === 'ready',
  });
  await first;
  const again = nextReady();
  const pid = supervisor.pidOf('a')!;
  process.kill(pid, 'SIGKILL');
  await again;
  assert.equal(deaths, 1);
  assert.notEqual(supervisor.pidOf('a'), pid);
  await supervisor.stop();
  assert.equal(supervisor.pidOf('a'), undefined);
});

test('a child that ends before it is ready says why', async () => {
  const supervisor = new Supervisor({ line: () => undefined, died: () => undefined });
  const start = supervisor.start({
    name: 'b',
    argv: script('echo port taken; exit 3'),
    env,
    cwd,
    readyWhen: () => false,
  });
  await assert.rejects(start, /exit status 3[\s\S]*port taken/);
  await supervisor.stop();
});

test('children die with a killed parent', async () => {
  const file = fileURLToPath(new URL('supervise.ts', import.meta.url));
  const program = `
    const { Supervisor } = await import(${JSON.stringify(file)});
    const supervisor = new Supervisor({ line() {}, died() {} });
    await supervisor.start({ name: 'c', argv: ['/bin/sleep', '100'], env: {}, cwd: '/' });
    console.log(supervisor.pidOf('c'));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(chunk.toString());
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /sleep/);
  parent.kill('SIGKILL');
  await once(parent, 'close');
  const gone = () => {
    try {
      return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return true;
    }
  };
  const until = performance.now() + 5_000;
  while (!gone() && performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(gone(), 'the child outlived its killed parent');
});
