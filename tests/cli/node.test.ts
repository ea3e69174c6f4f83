// retrain node over a real API: a machine asks, an admin governs it, each deed with its reason and author.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NodeDetail } from '@retraind/shared/wire/node';
import { adminToken, porterToken, startFarm } from '../api/farm-server.ts';

const server = await startFarm();
const root = fileURLToPath(new URL('../..', import.meta.url));
const keyFile = join(server.folder, 'machine/node.key');

interface Told {
  code: number | null;
  out: string;
  err: string;
}

const retrain = (args: string[], token = adminToken, env: Record<string, string> = {}): Promise<Told> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'apps/cli/src/main.ts', 'node', ...args], {
      cwd: root,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: server.folder,
        RETRAIND_API: server.address,
        RETRAIND_TOKEN: token,
        ...env,
      },
    });
    const told: Told = { code: null, out: '', err: '' };
    child.stdout.on('data', (text) => {
      told.out += text;
    });
    child.stderr.on('data', (text) => {
      told.err += text;
    });
    child.on('close', (code) => resolve({ ...told, code }));
  });
const shown = async (id: string): Promise<NodeDetail> =>
  JSON.parse((await retrain(['show', id, '--json'])).out);

test('a machine asks, is approved, tagged, drained, resumed and retired; Redis is told of it', async () => {
  const enrol = ['enrol', '--key', keyFile, '--name', 'rack-7', '--tag', 'scratch', '--json'];
  const recording = join(root, 'apps/worker/src/gpu/recordings/nvidia-t4');
  const asked = await retrain(enrol, '', { RETRAIND_INVENTORY: recording });
  assert.equal(asked.code, 0, asked.err);
  const { nodeId, state, class: nodeClass, inventory } = JSON.parse(asked.out) as NodeDetail;
  assert.deepEqual([state, inventory?.replayedFrom], ['pending', 'nvidia-t4']);
  assert.match(nodeClass, /\+sm75$/);
  const again = await retrain(enrol, '', { RETRAIND_INVENTORY: recording });
  assert.equal((JSON.parse(again.out) as NodeDetail).nodeId, nodeId, 'the key is kept');
  assert.equal((await retrain(['acl'])).out.trim(), '', 'no user for one that is not approved');

  const unasked = await retrain(['approve', 'rack-7']);
  assert.deepEqual([unasked.code, /-m WHY/.test(unasked.err)], [2, true]);
  assert.equal((await retrain(['approve', 'rack-7', '-m', 'mine'], porterToken)).code, 5);
  const approved = await retrain([
    'approve',
    'rack-7',
    '-m',
    'in the rack',
    '--tag',
    'fast',
    '--mandatory',
    'scarce',
  ]);
  assert.match(approved.out, new RegExp(`node ${nodeId} \\(rack-7, .*\\) is offline by ada: in the rack`));
  assert.match(
    (await retrain(['acl'])).out,
    new RegExp(`^ACL SETUSER ${nodeId} reset on #[0-9a-f]{64} ~bull:node-${nodeId}-slot-\\* `),
  );
  assert.match((await retrain(['list'])).out, /rack-7 .*offline.*1 \(replayed\)/);

  await retrain([
    'tag',
    nodeId.slice(0, 8),
    '-m',
    'slower than thought',
    '--remove',
    'fast',
    '--add',
    'quiet',
  ]);
  const unclear = await retrain(['limit', nodeId, '--longest-run', '8', '-m', 'nights']);
  assert.deepEqual([unclear.code, /--longest-run 8h/.test(unclear.err)], [2, true]);
  const limited = await retrain(['limit', nodeId, '--longest-run', '8h', '-m', 'off at night']);
  assert.match(limited.out, /takes runs of at most 8 h/);
  assert.equal((await retrain(['drain', nodeId, '-m', 'dust'])).code, 0);
  const text = (await retrain(['show', nodeId])).out;
  for (const wanted of [
    /is drained by ada: dust/,
    /replayed from the recording nvidia-t4/,
    /Tesla T4/,
    /tag scarce: set by ada, .*mandatory/,
    /tag scratch: claimed/,
    /nodes.tag: slower than thought/,
    /takes runs of at most 8 h/,
    /nodes.limit: off at night/,
  ]) {
    assert.match(text, wanted);
  }
  assert.equal((await retrain(['resume', nodeId, '-m', 'clean'])).code, 0);
  const freed = await retrain(['limit', nodeId, '--longest-run', 'any', '-m', 'day and night', '--json']);
  assert.equal((JSON.parse(freed.out) as NodeDetail).longestRunSeconds, null);
  assert.deepEqual(
    (await shown(nodeId)).deeds.map(({ deed, reason }) => `${deed}: ${reason}`),
    [
      'nodes.limit: day and night',
      'nodes.resume: clean',
      'nodes.drain: dust',
      'nodes.limit: off at night',
      'nodes.tag: slower than thought',
      'nodes.approve: in the rack',
      'nodes.enrol: ',
    ],
  );
  assert.equal((await retrain(['retire', nodeId, '-m', 'sold'])).code, 0);
  assert.equal((await retrain(['acl'])).out.trim(), `ACL DELUSER ${nodeId}`);
  const late = await retrain(enrol, '', { RETRAIND_INVENTORY: recording });
  assert.deepEqual([late.code, /retired.*revoked/.test(late.err)], [5, true]);
});

test('what is not there, and what is not said, is told with its cure', async () => {
  const missing = await retrain(['drain', 'nobody', '-m', 'x']);
  assert.deepEqual([missing.code, /retrain node list/.test(missing.err)], [4, true]);
  const unknown = await retrain(['paint']);
  assert.deepEqual([unknown.code, /one of: node enrol, node approve/.test(unknown.err)], [2, true]);
});
