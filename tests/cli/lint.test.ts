// `retrain lint` names every planted fault in one go, with file, line, field and cure.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-lint-'));
after(() => rmSync(folder, { recursive: true }));
const lint = (path: string) =>
  runCommand(process.execPath, [join(root, 'apps/cli/bin/retrain.mjs'), 'lint', path, '--json']);

test('the examples and the overlays are without errors', async () => {
  for (const path of [
    'examples/tiny',
    'examples/clothes',
    'examples/clothes-tampered',
    'examples/clothes-patched',
    'examples/foreign-mlp',
    'recipes/anthy',
  ]) {
    const { code, stdout } = await lint(join(root, path));
    assert.equal(code, 0, `${path}: ${stdout}`);
  }
});

test('five planted faults are named together', async () => {
  const tree = join(folder, 'tree');
  cpSync(join(root, 'examples/tiny'), tree, { recursive: true });
  const control = join(tree, 'debian/retrain/control');
  const planted = readFileSync(control, 'utf8')
    .replace(/^Memory: .*$/m, 'Memory: 4')
    .replace(/^Task: .*$/m, 'Task: clasification')
    .replace(/^Margin: .*$/m, 'Margin: -0.1')
    .replace(/^Output: .*$/m, 'Output: ../../etc/passwd')
    .replace(/^Metric: /m, 'Metrik: ');
  writeFileSync(control, planted);
  const { code, stdout } = await lint(tree);
  assert.equal(code, 1);
  const { faults } = JSON.parse(stdout) as {
    faults: { file: string; line: number; field: string; cure: string }[];
  };
  const lines = planted.split('\n');
  for (const field of ['Memory', 'Task', 'Margin', 'Output', 'Metrik']) {
    const fault = faults.find((each) => each.field === field);
    assert.ok(fault, `${field} is not named: ${stdout}`);
    assert.equal(fault.file, 'debian/retrain/control');
    assert.match(lines[fault.line - 1]!, new RegExp(`^${field}:`));
    assert.notEqual(fault.cure, '');
  }
});

test('what is no folder is said so', async () => {
  const { code, stderr } = await lint(join(folder, 'nowhere'));
  assert.equal(code, 4);
  assert.match(stderr, /is no folder/);
});
