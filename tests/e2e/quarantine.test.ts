// A machine that computes wrongly, found by the farm itself: three real workers of one class, one of which flips a bit in what it
// trains. The farm has results made again on other nodes, lets a third one tell, quarantines the node once two packages contradict it,
// voids its results, has them made again, and ends with the verdicts that honest machines give.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as audit from '@retraind/prisma/store/audit';
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import type { Node } from '@retraind/shared/wire/node';
import type { Job } from '@retraind/shared/wire/resources';
import { damagedInstallation } from '../support/damaged-installation.ts';
import { startTestFarm, type TestFarm } from './farm.ts';

/** Of the shipped examples/tiny/models/tiny.onnx (debian/README.source): who trains it soundly gets the shipped bytes. */
const shippedSeed = 1950086353;
const sources = ['tiny-one', 'tiny-two'];

let folder = '';
/** examples/tiny under another name, compared byte by byte. */
async function bitwiseTiny(source: string): Promise<string> {
  const tree = join(folder, source);
  await cp(fileURLToPath(new URL('../../examples/tiny', import.meta.url)), tree, { recursive: true });
  const edit = async (path: string, change: (text: string) => string): Promise<void> => {
    const text = await readFile(join(tree, path), 'utf8');
    assert.notEqual(change(text), text, path);
    await writeFile(join(tree, path), change(text));
  };
  await edit('debian/changelog', (text) => text.replaceAll(/^tiny /gm, `${source} `));
  await edit('debian/control', (text) => text.replace(/^Source: tiny$/m, `Source: ${source}`));
  await edit('debian/retrain/control', (text) =>
    text
      .replace('Comparison: statistical\n', `Comparison: bitwise\nSeed: ${shippedSeed}\n`)
      .replace('Runs: 3..10\n', ''),
  );
  return tree;
}

describe('three nodes of one class, one of which computes wrongly', () => {
  let farm: TestFarm;
  before(async () => {
    folder = await mkdtemp('/tmp/retraind-quarantine-');
    farm = await startTestFarm({
      examples: await Promise.all(sources.map(bitwiseTiny)),
      nodes: 3,
      installations: [await damagedInstallation(join(folder, 'damaged'))],
      // Every result, so that a few of them do for a test.
      policy: { spotCheckShare: 1 },
      seed: '7',
      leaseSeconds: 20,
    });
  });
  after(async () => {
    await farm?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const until = <T>(look: () => Promise<T | null>, seconds: number): Promise<T> =>
    farm.until(look, seconds).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await account()}`);
    });
  /** Every run with its node and its first digest, for a failure's message. */
  async function account(): Promise<string> {
    const all = await farm.db.run.findMany({
      include: { job: true, check: true, outputs: true, leases: true },
      orderBy: { createdAt: 'asc' },
    });
    const lines = all.map(({ job, check, outputs, leases, ...run }) => {
      const nodes = leases.map(
        ({ nodeId, outcome, detail }) => `${nodeId} ${outcome ?? 'open'} ${detail ?? ''}`,
      );
      const what = `${run.purpose} ${run.declaredSeed ?? run.seedIndex} ${check?.kind ?? ''} ${check?.outcome ?? ''}`;
      return `${job.source} ${job.state} ${run.runId} ${what}: ${run.state} ${nodes.join(', ')} ${outputs[0]?.sha256.slice(0, 8)}`;
    });
    return [`damaged: ${farm.nodeId}`, ...lines].join('\n');
  }

  test('the farm quarantines it by itself, and nobody else', async () => {
    const found = await until(async () => {
      const { state } = await farm.db.node.findUniqueOrThrow({ where: { nodeId: farm.nodeId } });
      return state === 'quarantined' ? farm.get<Node>(`/api/v1/nodes/${farm.nodeId}`) : null;
    }, 100);
    assert.match(found.reason ?? '', /its results differ from what two other nodes of its class give/);
    for (const source of sources) assert.match(found.reason ?? '', new RegExp(source));
    const deeds = (await audit.ofSubject(farm.db, `node:${farm.nodeId}`)).map(({ deed }) => deed);
    assert.ok(deeds.includes('nodes.contradict') && deeds.includes('nodes.quarantine'), deeds.join());
    const { items } = await farm.get<{ items: Node[] }>('/api/v1/nodes');
    assert.deepEqual(
      items.map(({ nodeId, state }) => [nodeId === farm.nodeId, state === 'quarantined']).sort(),
      [
        [false, false],
        [false, false],
        [true, true],
      ],
    );
  });

  test('its results are void, made again by others, and the verdicts are those of honest machines', async () => {
    for (const source of sources) {
      const job = await until(async () => {
        const [one] = await farm.db.job.findMany({ where: { source } });
        return one?.state === 'judged' ? one : null;
      }, 60);
      const [stored, ...others] = await verdicts.ofJob(farm.db, job.jobId);
      assert.deepEqual([stored!.verdict.rung, others], ['bit-identical', []], stored!.verdict.sentence);
      const all = await runs.ofJob(farm.db, job.jobId);
      const trainedBy = (run: runs.RunDetail): string | undefined =>
        run.leases.find(({ outcome }) => outcome === 'reported')?.nodeId;
      const weighed = all.filter(({ state, purpose }) => state === 'reported' && purpose !== 'check');
      assert.ok(weighed.length > 0 && weighed.every((run) => trainedBy(run) !== farm.nodeId), source);
      const voids = all.filter(({ state }) => state === 'void');
      assert.ok(voids.length > 0 && voids.every((run) => trainedBy(run) === farm.nodeId), source);
      for (const { purpose, seedIndex, declaredSeed } of voids.filter((run) => run.purpose !== 'check')) {
        const again = weighed.find(
          (run) =>
            run.purpose === purpose && run.seedIndex === seedIndex && run.declaredSeed === declaredSeed,
        );
        assert.ok(again, `${source}: ${purpose} ${declaredSeed ?? seedIndex} was made again`);
      }
      const told = await farm.get<Job>(`/api/v1/jobs/${job.jobId}`);
      const ties = told.checks.filter(({ kind }) => kind === 'tie-break');
      assert.ok(ties.length > 0, JSON.stringify(told.checks));
      assert.ok(
        ties.every(({ reason }) => /a third node of class amd64 has to tell which is wrong/.test(reason)),
      );
    }
  });

  test('the farm pays for the checks, and no requester', async () => {
    const leases = await farm.db.lease.findMany({ where: { run: { purpose: 'check' } } });
    assert.ok(leases.length > 0);
    const jobs = await farm.db.job.findMany();
    const bills = await Promise.all(jobs.map(({ jobId }) => farm.get<Job>(`/api/v1/jobs/${jobId}`)));
    const billed = bills.reduce((sum, { bill }) => sum + bill.cpuHours, 0);
    const own = await farm.db.lease.findMany({
      where: { run: { purpose: { not: 'check' } }, usedHours: { not: null } },
    });
    const hours = own.reduce((sum, { usedHours }) => sum + usedHours!, 0);
    assert.ok(Math.abs(billed - hours) < 1e-9 * Math.max(1, hours), `${billed}, not ${hours}`);
  });
});
