// `retrain lint --pilot` trains a recipe five times and says what its margin is worth.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import { seedAt } from '@retraind/shared/job/seed';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-pilot-'));
after(() => rmSync(folder, { recursive: true }));
const refusal = existsSync(join(root, 'build/retrain-tfjs/manifest.json'))
  ? await openSandbox('bwrap')
      .check()
      .then(
        () => false as const,
        (problem: Error) => problem.message,
      )
  : 'retrain-tfjs is not built: node scripts/prepare.mjs';

const pilot = (tree: string, ...more: string[]) =>
  runCommand(process.execPath, [join(root, 'apps/cli/bin/retrain.mjs'), 'lint', tree, '--pilot', ...more], {
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
  });

const withMargin = (name: string, margin: string): string => {
  const tree = join(folder, name);
  cpSync(join(root, 'examples/tiny'), tree, { recursive: true });
  const control = join(tree, 'debian/retrain/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Margin: .*$/m, `Margin: ${margin}`));
  return tree;
};

test('five trainings of their own seeds give spread, interval and share', { skip: refusal }, async () => {
  const { code, stdout, stderr } = await pilot(withMargin('wide', '0.2'), '--json');
  assert.equal(code, 0, stderr);
  const { pilots } = JSON.parse(stdout) as {
    pilots: { values: number[]; ratio: number; share: number; spread: { sd: number; interval: number[] } }[];
  };
  const [{ values, ratio, share, spread }] = pilots as [(typeof pilots)[number]];
  assert.equal(values.length, 5);
  assert.ok(values.every((value) => value > 0.8 && value < 0.95));
  assert.equal(new Set(values).size > 1, true);
  assert.ok(spread.interval[0]! < spread.sd && spread.sd < spread.interval[1]!);
  assert.ok(ratio > 3 && share > 0.97, `${ratio}, ${share}`);
});

test('a margin under three standard deviations is warned of', { skip: refusal }, async () => {
  const { code, stdout, stderr } = await pilot(withMargin('narrow', '0.005'));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Margin 0\.005 is 0\.\d s: \d+ % of honest packages/);
  assert.match(stdout, /warning: the margin is under 3 s/);
  // The seeds of no verdict.
  assert.ok(stderr.includes(`seed ${seedAt('pilot', 1)}`), stderr);
});

test('a recipe with faults is not trained', async () => {
  const { code, stderr } = await pilot(withMargin('faulty', '-1'));
  assert.equal(code, 1);
  assert.doesNotMatch(stderr, /run 1/);
});
