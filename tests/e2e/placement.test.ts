// Two real workers on one machine, each told to have the devices of a recording: jobs land only where they fit, and one that
// nobody can take says why within a tick. No device is here: the records say that the inventory was replayed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Node } from '@retraind/shared/wire/node';
import type { Page } from '@retraind/shared/wire/page';
import type { Explanation, JobSummary, RunSummary } from '@retraind/shared/wire/resources';
import { writeSourceTree } from '../support/source-tree.ts';
import { startTestFarm, type TestFarm } from './farm.ts';

const folder = mkdtempSync(join(tmpdir(), 'retraind-placement-'));
/** RETRAIND_TICK_SECONDS of the farm, and what reading an index and asking over HTTP take on a busy machine. */
const tickSeconds = 0.5;
const askSeconds = 5;
/** What a run waits that went back by the farm's fault (job/failure). */
const pauseSeconds = 15;

/** A package of a moment's training that asks for devices, in the index by `tag` and in the recipe by `wish`. */
const tree = (source: string, tag: string, head: Record<string, string> = {}): string =>
  writeSourceTree(join(folder, source), {
    head: { Accelerator: tag, ...head },
    files: {
      'debian/source/format': '3.0 (quilt)\n',
      'debian/changelog': `${source} (1.0-1) unstable; urgency=medium\n\n  * First.\n\n -- A Person <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n`,
      'debian/control': `Source: ${source}\nSection: misc\nPriority: optional\nMaintainer: A Person <a@example.org>\nStandards-Version: 4.7.0\nXS-Retrain: bootstrap\nXS-Retrain-Accelerator: ${tag}\nXS-Retrain-Policy: on-upload\n\nPackage: ${source}\nArchitecture: all\nDescription: toy\n`,
    },
  });

describe('two workers with replayed inventories', () => {
  let farm: TestFarm;
  /** By the recording that they replay. */
  let nodes: Record<string, Node>;
  before(async () => {
    farm = await startTestFarm({
      examples: [
        tree('wants-ampere', 'cuda:sm_80'),
        tree('wants-mi100', 'rocm:gfx908'),
        tree('wants-hopper-or-mi100', 'cuda:sm_90 | rocm:gfx908', { 'Gpu-Memory': '24 GiB' }),
        tree('wants-blackwell', 'cuda:sm_120'),
        // The index does not tell of memory: it lands on the only CUDA device, is told to be too large, and waits.
        tree('wants-memory', 'cuda:sm_80', { 'Gpu-Memory': '40 GiB' }),
      ],
      nodes: 2,
      inventories: ['nvidia-a100-mig', 'amd-mi100'],
      seed: '7',
      leaseSeconds: 20,
    });
    const { items } = await farm.get<{ items: Node[] }>('/api/v1/nodes');
    const having = (kind: string) =>
      items.find(({ accelerators }) => accelerators.some((one) => one.kind === kind))!;
    nodes = { 'nvidia-a100-mig': having('cuda'), 'amd-mi100': having('rocm') };
  });
  after(async () => {
    await farm.stop();
    rmSync(folder, { recursive: true });
  });

  const jobOf = async (source: string): Promise<JobSummary | undefined> =>
    (await farm.get<Page<JobSummary>>('/api/v1/jobs')).items.find((job) => job.source === source);
  const explain = (job: JobSummary) => farm.get<Explanation>(`/api/v1/jobs/${job.jobId}/explain`);
  const runsOf = async (job: JobSummary): Promise<RunSummary[]> =>
    (await farm.get<Page<RunSummary>>('/api/v1/runs')).items.filter(({ jobId }) => jobId === job.jobId);

  test('each shows the devices of its recording, and says that they are replayed', async () => {
    assert.deepEqual(
      nodes['nvidia-a100-mig']!.accelerators.map(({ name }) => name),
      ['NVIDIA A100-SXM4-40GB MIG 1/0', 'NVIDIA A100-SXM4-40GB MIG 2/0'],
    );
    // ROCm, and Vulkan beside it, of four devices.
    assert.equal(nodes['amd-mi100']!.accelerators.length, 8);
    for (const [name, { inventory }] of Object.entries(nodes)) assert.equal(inventory?.replayedFrom, name);
  });

  test('a job that nobody can take says why in `explain` within one tick', async () => {
    const job = await farm.until(() => jobOf('wants-blackwell'), 60);
    const said = await farm.until(async () => {
      const explanation = await explain(job);
      return explanation.clauses.length > 0 ? explanation : undefined;
    }, tickSeconds + askSeconds);
    const details = said.clauses.filter(({ holds }) => !holds).map(({ detail }) => detail);
    assert.ok(
      details.some((detail) => /capability 12\.0 wanted, 8\.0 there/.test(detail)),
      details.join('\n'),
    );
    assert.ok(
      details.some((detail) => /no such device/.test(detail)),
      details.join('\n'),
    );
    assert.deepEqual(
      (await runsOf(job)).map(({ nodeId }) => nodeId),
      [null],
    );
  });

  test('the others land where they fit, alone, and their records say that the inventory was replayed', async () => {
    for (const [source, recording] of [
      ['wants-ampere', 'nvidia-a100-mig'],
      ['wants-mi100', 'amd-mi100'],
      ['wants-hopper-or-mi100', 'amd-mi100'],
    ] as const) {
      const settled = await farm.settled(source, 120);
      assert.equal(settled.state, 'judged', `${settled.reason}\n${farm.tail()}`);
      const job = (await jobOf(source))!;
      const leases = await farm.db.lease.findMany({ where: { run: { jobId: job.jobId } } });
      assert.deepEqual([...new Set(leases.map(({ nodeId }) => nodeId))], [nodes[recording]!.nodeId], source);
      const runs = await farm.db.run.findMany({ where: { jobId: job.jobId, state: 'reported' } });
      assert.ok(runs.length > 0);
      for (const { taints } of runs) assert.ok(taints.includes('replayed-inventory'), `${source}: ${taints}`);
    }
  });

  test('one whose recipe asks for more than its tag goes back without blame on node or package, and waits', async () => {
    const job = await farm.until(() => jobOf('wants-memory'), 60);
    const lease = await farm.until(
      async () =>
        (await farm.db.lease.findFirst({ where: { run: { jobId: job.jobId }, outcome: 'given-back' } })) ??
        undefined,
      60,
    );
    assert.deepEqual([lease.code, lease.blame], ['does-not-fit', 'farm']);
    const said = await farm.until(async () => {
      const explanation = await explain(job);
      return explanation.clauses.some(({ detail }) =>
        /40\.0 GiB of device memory wanted, 19\.5 GiB there/.test(detail),
      )
        ? explanation
        : undefined;
    }, pauseSeconds + askSeconds);
    assert.deepEqual([...new Set(said.runs.map(({ state }) => state))], ['waiting']);
    const row = await farm.db.node.findUniqueOrThrow({ where: { nodeId: lease.nodeId } });
    assert.equal(row.faultsInRow, 0);
  });
});
