// Whole jobs at home for tests: a folder of their own each, one cache, real sandbox, real make.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import {
  type LocalJobEvent,
  type LocalJobOptions,
  type LocalJobResult,
  runLocalJob,
} from '../../apps/worker/src/local-job.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';
import { assertPublished } from '../../packages/shared/samples/published.ts';
import { type SourceTreeParts, writeSourceTree } from './source-tree.ts';

export const room: string = mkdtempSync(join(tmpdir(), 'retrain-local-'));
after(() => rmSync(room, { recursive: true, force: true }));

const sandbox = openSandbox('bwrap');
/** Why this machine has no sandbox; false where it has. */
export const refusal: string | false = await sandbox.check().then(
  () => false as const,
  (problem: Error) => problem.message,
);

let turn = 0;
export const job = async (
  parts: SourceTreeParts | string,
  options: Partial<LocalJobOptions> = {},
): Promise<{ result: LocalJobResult; log: string; events: LocalJobEvent[] }> => {
  const at = join(room, String(turn++));
  const path = typeof parts === 'string' ? parts : writeSourceTree(join(at, 'toy'), parts);
  let log = '';
  const events: LocalJobEvent[] = [];
  const result = await runLocalJob({
    source: { path },
    sandbox,
    resultsFolder: join(at, 'results'),
    cacheFolder: join(room, 'cache'),
    parallel: 2,
    onEvent: (event) => {
      events.push(event);
      if (event.kind === 'log') log += event.text;
    },
    ...options,
  });
  for (const verdict of result.verdicts) {
    assertPublished(verdict);
    assert.equal(verdict.registered?.by, 'local');
  }
  return { result, log, events };
};
