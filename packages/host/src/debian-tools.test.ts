import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import { aptEnvironment, ensureTool, findProgram } from './debian-tools.ts';
import { markName } from './run-mark.ts';

const work = await mkdtemp(join(tmpdir(), 'retraind-tools-'));
after(() => rm(work, { recursive: true, force: true }));

test('a tool that is there is found, and nothing is said', async () => {
  const tool = join(work, 'bwrap');
  await writeFile(tool, '#!/bin/sh\n');
  await chmod(tool, 0o755);
  const said: string[] = [];
  assert.equal(await ensureTool('bwrap', { path: work, say: (line) => said.push(line) }), tool);
  assert.deepEqual(said, []);
});

test('a file that cannot be run is no tool, nor is a relative folder', async () => {
  await writeFile(join(work, 'make'), 'no program');
  assert.equal(findProgram('make', work), null);
  assert.equal(findProgram('bwrap', '.'), null);
});

test('--no-install refuses with the line to type', async () => {
  await assert.rejects(ensureTool('make', { path: join(work, 'empty'), install: false }), (error) => {
    assert.ok(error instanceof Problem);
    assert.equal(error.code, 'tool-missing');
    assert.match(error.hint!, /apt-get install -y --no-install-recommends make$/);
    return true;
  });
});

test('an installation outlives the worker that began it', () => {
  process.env[markName] = 'of a worker';
  try {
    assert.equal(aptEnvironment()[markName], undefined);
    assert.equal(aptEnvironment().PATH, process.env.PATH);
  } finally {
    delete process.env[markName];
  }
});
