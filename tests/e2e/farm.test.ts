// The whole farm on a small package, over each queue backend: from a signed archive to a verdict.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { assertPublished } from '../../packages/shared/samples/published.ts';
import { provideRedis, withRedis } from '../support/redis.ts';
import { startTestFarm } from './farm.ts';

const { path, absence } = await provideRedis();
const redis = path === null ? null : await withRedis(path);

async function judgesTiny(redisUrl: string | undefined): Promise<void> {
  const farm = await startTestFarm({ examples: ['tiny'], redisUrl, seed: '7', slots: 2, leaseSeconds: 20 });
  try {
    const job = await farm.settled('tiny', 240);
    assert.equal(job.state, 'judged', job.reason);
    const [stored, ...others] = await verdicts.ofJob(farm.db, job.jobId);
    assert.deepEqual(others, []);
    const { verdict } = stored!;
    assert.equal(verdict.model, 'tiny');
    assert.ok(verdict.k >= 3);
    assert.equal(verdict.moreRuns, 0);
    assertPublished(verdict);
    const all = await runs.ofJob(farm.db, job.jobId);
    assert.deepEqual(
      all.map(({ state }) => state),
      all.map(() => 'reported'),
    );
    assert.equal(all.length, verdict.k);
    assert.deepEqual(
      all.map(({ seed }) => seed),
      verdict.seeds,
    );
    assert.equal(verdict.registered?.by, 'farm');
    const registeredAt = Date.parse(verdict.registered!.at);
    for (const { endedAt, trainSeconds } of all) {
      assert.ok(endedAt!.getTime() - 1_000 * trainSeconds! > registeredAt, 'training began after');
    }
    assert.ok(all.every(({ leases }) => leases.length === 1 && leases[0]!.outcome === 'reported'));
  } finally {
    await farm.stop();
  }
}

describe('a farm judges examples/tiny', () => {
  test('with the queue in PostgreSQL', () => judgesTiny(undefined));
  test('with the queue in Redis', { skip: absence }, () => judgesTiny(redis!.url));
});
