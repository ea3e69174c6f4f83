// Without a network: a package that no list holds is not called unknown, the network is named.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';

const launcher = fileURLToPath(new URL('../../apps/cli/bin/retrain.mjs', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'retraind-no-network-'));
after(() => rmSync(home, { recursive: true }));

const island = await runCommand('unshare', ['--net', 'true']);
const skip = island.code === 0 ? false : `no right to make a network namespace: ${island.stderr.trim()}`;

test('retrain run PACKAGE without a network', { skip }, async () => {
  const env = { ...process.env, XDG_CACHE_HOME: join(home, 'cache'), XDG_STATE_HOME: join(home, 'state') };
  const argv = ['--net', process.execPath, launcher, 'run', 'anthy', '--no-sandbox', '--no-install'];
  const { code, stderr } = await runCommand('unshare', argv, { env });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /resolving|connect|network/i);
  assert.match(stderr, /hint: Check the network/);
});
