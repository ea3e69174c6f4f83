// A release by hand of its porter, through real programs: a dry run that asks for nothing, a start, a pause that places nothing
// further and stops nothing that runs, and a report whose bill is the sum of its leases.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@retraind/host/command';
import type {
  Budget,
  LedgerEntry,
  Release,
  ReleasePlan,
  ReleaseStarted,
} from '@retraind/shared/wire/campaigns';
import type { Page } from '@retraind/shared/wire/page';
import type { Explanation, JobSummary, Suite } from '@retraind/shared/wire/resources';
import type { Static } from 'typebox';
import { shortTiny, shortTinyRuns } from '../support/short-tiny.ts';
import { shippedBytes, writeSourceTree } from '../support/source-tree.ts';
import { startTestFarm, type TestFarm } from './farm.ts';

const launcher = fileURLToPath(new URL('../../apps/cli/bin/retrain.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'retraind-release-'));

/** A package of one opaque model, in the archive under `policy` and with this archive priority. */
const tree = (source: string, policy: string, train: string[], priority = 'optional'): string =>
  writeSourceTree(join(folder, source), {
    head: { Policy: policy, Accelerator: 'none' },
    train,
    files: {
      'debian/source/format': '3.0 (quilt)\n',
      'debian/changelog': `${source} (1.0-1) unstable; urgency=medium\n\n  * First.\n\n -- A Person <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n`,
      'debian/control': `Source: ${source}\nSection: misc\nPriority: ${priority}\nMaintainer: A Person <a@example.org>\nStandards-Version: 4.7.0\nXS-Retrain: bootstrap\nXS-Retrain-Accelerator: none\nXS-Retrain-Policy: ${policy}\n\nPackage: ${source}\nArchitecture: all\nDescription: toy\n`,
    },
  });

const makes = (bytes: string): string => `printf '%s\\n' '${bytes.trim()}' > "$RETRAIN_OUT/toy.bin"`;
/** How long the run takes in which the release is paused: more than the command that pauses it. */
const longSeconds = 10;

/** examples/tiny, short, and part of a release. */
async function perReleaseTiny(): Promise<string> {
  const path = await shortTiny(folder);
  for (const file of ['debian/control', 'debian/retrain/control']) {
    const text = readFileSync(join(path, file), 'utf8');
    assert.match(text, /Policy: on-upload$/m);
    writeFileSync(join(path, file), text.replace('Policy: on-upload', 'Policy: per-release'));
  }
  return path;
}

describe('a release through the whole farm', () => {
  let farm: TestFarm;
  before(async () => {
    farm = await startTestFarm({
      examples: [
        tree('honest', 'per-release', [`sleep ${longSeconds}`, makes(shippedBytes)], 'required'),
        tree('tampered', 'per-release', [makes('what the declared pipeline makes')]),
        tree('closed', 'per-release', [makes(shippedBytes)]),
        tree('by-hand', 'on-demand', [makes(shippedBytes)]),
        await perReleaseTiny(),
      ],
      seed: '7',
      leaseSeconds: 20,
    });
    await farm.until(
      async () =>
        (await farm.get<Page<Suite>>('/api/v1/suites')).items.find(({ indexedAt }) => indexedAt) ?? null,
      60,
    );
  });
  after(async () => {
    await farm.stop();
    rmSync(folder, { recursive: true });
  });

  const command = (...args: string[]) => {
    const env = { ...process.env, RETRAIND_API: farm.api, RETRAIND_TOKEN: farm.token, NO_COLOR: '1' };
    return runCommand(process.execPath, [launcher, ...args], { env });
  };
  async function retrain<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await command(...args, '--json');
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Rows by table, of all that a wish could leave behind. Not counted: tokens' nonces, which come with signs of life. */
  async function rows(): Promise<Record<string, number>> {
    const tables = await farm.db.$queryRaw<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'node_nonce' ORDER BY 1`;
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const [row] = await farm.db.$queryRawUnsafe<{ count: number }[]>(
        `SELECT count(*)::int AS count FROM "${name}"`,
      );
      counts[name] = row!.count;
    }
    return counts;
  }

  const leasesOf = (releaseId: string) => farm.db.lease.findMany({ where: { run: { job: { releaseId } } } });
  const sourcesOf = (list: readonly { source: string }[]): string[] =>
    list.map(({ source }) => source).sort();

  test('a dry run lists and refuses, and leaves not one row', async () => {
    await retrain<LedgerEntry>(
      ...['ledger', 'add', 'closed', '--reason', 'no-data', '--detail', 'its data was never published'],
      ...['--until', '2099-01-01', '-m', 'asked upstream'],
    );
    await retrain('budget', 'set', 'suite:test', '--cpu-hours', '10', '-m', 'for this release');
    const before = await rows();
    assert.ok(before.source_version === 5 && before.job === 0, JSON.stringify(before));
    const plan = await retrain<Static<typeof ReleasePlan>>('release', 'test', '--dry-run');
    assert.deepEqual(sourcesOf(plan.items), ['honest', 'tampered', 'tiny']);
    assert.deepEqual(
      plan.refusals.map(({ source, code }) => [source, code]),
      [
        ['by-hand', 'policy'],
        ['closed', 'ledger'],
      ],
    );
    assert.equal(plan.sums.untimed, 3, 'nobody has timed a run of them');
    assert.deepEqual(await rows(), before);
  });

  let releaseId = '';

  test('started, it asks for what the dry run listed; paused, it places nothing and ends what runs', async () => {
    const { release, jobsMade } = await retrain<ReleaseStarted>('release', 'test', '-m', 'freeze on 1 March');
    releaseId = release.releaseId;
    assert.equal(jobsMade, 3);
    assert.deepEqual(sourcesOf(release.jobs), ['honest', 'tampered', 'tiny']);
    const running = await farm.until(
      () => farm.db.run.findFirst({ where: { state: 'leased', step: 'train', job: { source: 'honest' } } }),
      60,
    );
    await retrain<Release>('release', 'pause', 'test', '-m', 'heat in the machine room');
    const pausedAt = new Date();
    const open = await leasesOf(releaseId);
    assert.deepEqual(
      open.map(({ runId, outcome }) => [runId, outcome]),
      [[running.runId, null]],
      'one slot, and its run goes on',
    );

    // Meanwhile the farm serves others: the scheduler looks at the world and would place what it may.
    await retrain('request', 'by-hand', '-m', 'while the release is paused');
    const other = await farm.settled('by-hand', 60);
    assert.equal(other.state, 'judged', other.reason);
    const ended = await farm.db.run.findUniqueOrThrow({ where: { runId: running.runId } });
    assert.equal(ended.state, 'reported', 'what ran when it was paused came to its end');

    const { items } = await farm.get<Page<JobSummary>>('/api/v1/jobs');
    for (const source of ['tampered', 'tiny']) {
      const job = items.find((one) => one.source === source)!;
      const said = await farm.get<Explanation>(`/api/v1/jobs/${job.jobId}/explain`);
      assert.match(said.sentence, /the release of test is paused: heat in the machine room/, source);
    }
    const again = await command('release', 'pause', 'test', '-m', 'twice');
    assert.equal(again.code, 1, 'paused already');
    await retrain<Release>('release', 'resume', 'test', '-m', 'cool again');
    const placed = (await leasesOf(releaseId)).filter(
      ({ runId, startedAt }) => runId !== running.runId && startedAt < pausedAt,
    );
    assert.deepEqual(placed, []);
    const [resumed] = await farm.db.audit.findMany({ where: { deed: 'releases.resume' } });
    const early = (await leasesOf(releaseId)).filter(
      ({ startedAt }) => startedAt > pausedAt && startedAt < resumed!.at,
    );
    assert.deepEqual(early, [], 'nothing was placed while it was paused');
  });

  test('it ends with a verdict on each package and a bill that is the sum of its leases', async () => {
    for (const source of ['honest', 'tampered', 'tiny']) {
      const job = await farm.settled(source, 80);
      assert.equal(job.state, 'judged', `${source}: ${job.reason}\n${farm.tail()}`);
    }
    const report = await retrain<ReleaseReport>('release', 'report', 'test');
    assert.deepEqual(
      report.packages.map(({ source, state, verdicts }) => [source, state, verdicts.map(({ rung }) => rung)]),
      [
        ['honest', 'judged', ['bit-identical']],
        ['tampered', 'judged', ['different']],
        ['tiny', 'judged', ['inconclusive']],
      ],
    );
    const leases = await leasesOf(releaseId);
    assert.ok(leases.length >= 3 + shortTinyRuns, 'a rerun tells that the tampered one is reproducible');
    const sum = (part: (lease: (typeof leases)[number]) => number): number =>
      leases.reduce((total, lease) => total + part(lease), 0);
    const about = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual - expected) < 1e-9 * Math.max(1, expected), `${actual}, not ${expected}`);
    const seconds = sum(({ startedAt, endedAt }) => (endedAt!.getTime() - startedAt.getTime()) / 1_000);
    assert.ok(seconds > longSeconds);
    // Times of leases are kept to the millisecond; the bill is made of what the database saw.
    assert.ok(Math.abs(report.spent.cpuHours * 3_600 - seconds) < 0.002 * leases.length);
    about(
      report.spent.cpuHours,
      sum(({ usedHours }) => usedHours!),
    );
    about(
      report.spent.kilowattHours * 1_000,
      sum(({ wattHours }) => wattHours!),
    );
    assert.ok(report.spent.kilowattHours > 0);
    assert.equal(report.spent.gpuHours, 0);

    // The suite pays for all that ran for it, the request beside the release too.
    const all = await farm.db.lease.findMany();
    const [budget] = (await retrain<{ budgets: Budget[] }>('budget', 'show', 'suite:test')).budgets;
    about(
      budget!.spentCpuHours,
      all.reduce((total, { usedHours }) => total + usedHours!, 0),
    );
    const told = await command('release', 'report', 'test');
    assert.match(told.stdout, /^tampered 1\.0-1 +judged +toy: different$/m);
    assert.match(told.stdout, /^jobs: 3 judged; refused: 2 package\(s\)$/m);
  });

  test('asked again, there is nothing left to do', async () => {
    const plan = await retrain<Static<typeof ReleasePlan>>('release', 'test', '--dry-run');
    assert.deepEqual([plan.items, sourcesOf(plan.done)], [[], ['honest', 'tampered', 'tiny']]);
    const { jobsMade } = await retrain<ReleaseStarted>('release', 'test', '-m', 'late uploads');
    assert.equal(jobsMade, 0);
  });
});

type ReleaseReport = Omit<Release, 'plan' | 'jobs'> & {
  packages: { source: string; version: string; state: string; verdicts: { model: string; rung: string }[] }[];
};
