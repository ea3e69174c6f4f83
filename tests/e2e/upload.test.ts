// What an upload sets going: one job within one intake interval, the older version's job superseded; and a package that asks
// for a GPU which no node has waits and says why.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import type { Page } from '@retraind/shared/wire/page';
import type { JobSummary, Suite } from '@retraind/shared/wire/resources';
import { startTestFarm, type TestFarm } from './farm.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-upload-'));
const intakeSeconds = 1;

/** examples/tiny under another name, for a GPU only. */
function cudaTree(): string {
  const tree = join(folder, 'tiny-cuda');
  cpSync(join(root, 'examples/tiny'), tree, { recursive: true });
  const edit = (path: string, change: (text: string) => string): void =>
    writeFileSync(join(tree, path), change(readFileSync(join(tree, path), 'utf8')));
  edit('debian/changelog', (text) => text.replaceAll(/^tiny /gm, 'tiny-cuda '));
  edit('debian/control', (text) =>
    text
      .replace(/^Source: tiny$/m, 'Source: tiny-cuda')
      .replace(/^(XS-Retrain-Accelerator): .*$/m, '$1: cuda:sm_80'),
  );
  edit('debian/retrain/control', (text) => text.replace(/^Accelerator: .*$/m, 'Accelerator: cuda:sm_80'));
  return tree;
}

describe('an upload', () => {
  let farm: TestFarm;
  before(async () => {
    farm = await startTestFarm({
      examples: ['tiny', cudaTree()],
      seed: '7',
      leaseSeconds: 20,
      intakeSeconds,
    });
  });
  after(async () => {
    await farm.stop();
    rmSync(folder, { recursive: true });
  });

  const jobsOf = async (source: string): Promise<JobSummary[]> =>
    (await farm.get<Page<JobSummary>>('/api/v1/jobs')).items.filter((job) => job.source === source);

  const indexedAt = async (): Promise<string | null> =>
    (await farm.get<Page<Suite>>('/api/v1/suites')).items[0]!.indexedAt;

  test('of a newer version queues one job and supersedes the older one', async () => {
    await farm.until(async () => (await jobsOf('tiny'))[0], 60);
    await farm.upload('tiny', '1.0-2');
    const jobs = await farm.until(async () => {
      const found = await jobsOf('tiny');
      return found.length > 1 ? found : undefined;
    }, 60);
    assert.deepEqual(jobs.map(({ version, state }) => [version, state === 'superseded']).sort(), [
      ['1.0-1', true],
      ['1.0-2', false],
    ]);
    // The archive is published anew with what it has: the same version makes no second job.
    const readAt = await indexedAt();
    await farm.upload('tiny', '1.0-2');
    await farm.until(async () => ((await indexedAt()) !== readAt ? true : undefined), 60);
    assert.equal((await jobsOf('tiny')).length, 2);
  });

  test('that asks for a GPU which no node has waits, and its status says why', async () => {
    const job = await farm.until(async () => (await jobsOf('tiny-cuda'))[0], 60);
    assert.equal(job.state, 'needs-retrain');
    const { code, stdout } = await runCommand(process.execPath, [
      join(root, 'apps/cli/bin/retrain.mjs'),
      ...['status', 'tiny-cuda', '--farm', farm.api],
    ]);
    assert.equal(code, 0);
    assert.match(stdout, /cuda:sm_80/);
  });
});
