// A run that is preempted in the middle of its training goes on on another node with its checkpoint, and trains the same bytes
// as a run that nobody disturbed; the record tells that it was resumed. The worker's own code, a real api, database and sandbox;
// the scheduler is played by the test.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as runs from '@retraind/prisma/store/runs';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import type { RunOutcome } from '@retraind/shared/wire/messages';
import type { Run } from '@retraind/shared/wire/resources';
import { Beat, LeaveAsked } from '../../apps/worker/src/beat.ts';
import { Inventory, machineInventory } from '../../apps/worker/src/gpu/inventory.ts';
import { openMachine } from '../../apps/worker/src/gpu/machine.ts';
import { SlotDevices } from '../../apps/worker/src/gpu/slot-devices.ts';
import type { NodeKey } from '../../apps/worker/src/node-key.ts';
import { findPrograms } from '../../apps/worker/src/programs.ts';
import { run } from '../../apps/worker/src/run.ts';
import { openSandbox } from '../../apps/worker/src/sandbox/sandbox.ts';
import { startFarm } from '../api/farm-server.ts';
import { findVersion } from '../support/scenario.ts';

const server = await startFarm();
const machine = openMachine();
let folder = '';
let tree = '';
before(async () => {
  folder = await mkdtemp('/tmp/retraind-preempt-');
  tree = join(folder, 'tiny');
  await cp(fileURLToPath(new URL('../../examples/tiny', import.meta.url)), tree, { recursive: true });
  // Long enough to be interrupted, with a checkpoint every tenth of a second.
  const script = join(tree, 'debian/retrain/train.mjs');
  const text = await readFile(script, 'utf8');
  assert.match(text, /^ {2}epochs: 12,$/m);
  await writeFile(script, text.replace('  epochs: 12,', '  epochs: 1000,\n  checkpointEvery: 0.1,'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A job of the tree whose one run waits; always the same seed. */
async function waitingRun(): Promise<{ jobId: string; runId: string }> {
  const wish = { suite: 'sid', source: 'tiny', seedOverride: '7', requestedBy: 'ada' };
  for (const job of await jobs.ofPackage(server.db, 'tiny')) {
    await jobs.cancel(server.db, job.jobId, 'made anew', 'ada').catch(() => undefined);
  }
  const { job } = await jobs.request(server.db, wish);
  const [runId] = await runs.add(server.db, job.jobId, retrainPlaces(1));
  return { jobId: job.jobId, runId: runId! };
}

/** Takes all steps of the run's next lease on this node, as worker/slot does. Resolves with how that ended. */
async function serve(
  runId: string,
  key: NodeKey,
  onTraining: (leaseEpoch: number) => void = () => {},
  { death, checkpointSeconds }: { death?: AbortSignal; checkpointSeconds?: number } = {},
) {
  const leaseEpoch = await runs.lease(server.db, { runId, nodeId: key.nodeId, slot: 0, leaseSeconds: 600 });
  assert.ok(leaseEpoch, 'the run waits');
  const farm = server.client(key, { runId, leaseEpoch });
  const assignment = await farm.takeAssignment();
  const beat = new Beat({
    ...{ farm, heartbeatSeconds: 0.2, stopGraceSeconds: 20 },
    shutdown: new AbortController().signal,
    onTrouble: () => {},
  });
  const cache = join(folder, 'cache');
  try {
    return await run({
      ...{ nodeId: key.nodeId, assignment, farm, cache },
      sandbox: openSandbox('bwrap'),
      programs: await findPrograms(cache, null),
      devices: new SlotDevices(await Inventory.open(machineInventory(machine)), machine),
      folder: join(folder, `${runId}-${leaseEpoch}`),
      signal: death ?? beat.signal,
      leave: beat.leave,
      checkpointSeconds,
      origin: { kind: 'tree', folder: tree },
      overlay: null,
      parallel: 1,
      onProgress: (step, fraction) => {
        beat.at(step, fraction);
        if (step === 'train' && fraction !== null && fraction > 0) onTraining(leaseEpoch);
      },
    });
  } catch (error) {
    if (!(error instanceof LeaveAsked)) throw error;
    const outcome = { code: error.code, step: 'train', detail: error.message } as const;
    await farm.report({ kind: 'given-back', ...outcome });
    return null;
  } finally {
    await beat.end();
  }
}

const logOf = async (runId: string): Promise<string> =>
  (await server.ask<string>('GET', `/api/v1/runs/${runId}/log`)).body;

type Reported = Extract<RunOutcome, { kind: 'reported' }>;
/** The run that nobody disturbed; null before it came to its end. */
let whole: Reported | null = null;

const digestsOf = ({ outputs }: Reported): string[] => outputs.map(({ evidence }) => evidence.file.sha256);

test('preempted in the middle, a run goes on on another node and trains the same bytes', async (t) => {
  const refusal = await openSandbox('bwrap')
    .check()
    .then(
      () => null,
      (error: Error) => error.message,
    );
  if (refusal !== null) return t.skip(refusal);
  await findVersion(server.db, { suite: 'sid', source: 'tiny', version: '1.0-1', job: null });
  const [one, other] = [await server.enrol('one'), await server.enrol('other')];
  const quiet = await waitingRun();
  const undisturbed = await serve(quiet.runId, one);
  assert.ok(undisturbed?.kind === 'reported', `${JSON.stringify(undisturbed)}\n${await logOf(quiet.runId)}`);
  whole = undisturbed;

  const { runId } = await waitingRun();
  let asked: Promise<boolean> | null = null;
  let askedAt = 0;
  const first = await serve(runId, one, (leaseEpoch) => {
    const wish = { code: 'preempted', reason: 'a larger run waits', actor: 'scheduler' } as const;
    askedAt ||= performance.now();
    asked ??= leave.ask(server.db, { runId, leaseEpoch, ...wish });
  });
  t.diagnostic(`left its slot ${((performance.now() - askedAt) / 1_000).toFixed(1)} s after it was asked to`);
  assert.equal(first, null, await logOf(runId));
  assert.equal(await asked, true);
  const left = (await runs.byId(server.db, runId))!;
  assert.equal(left.state, 'waiting');
  assert.match(left.checkpointSha256 ?? 'none', /^[0-9a-f]{64}$/, await logOf(runId));

  const second = await serve(runId, other);
  assert.ok(second?.kind === 'reported', `${JSON.stringify(second)}\n${await logOf(runId)}`);
  const log = await logOf(runId);
  assert.match(log, new RegExp(`^checkpoint: resumed from ${left.checkpointSha256}, left by lease 1$`, 'm'));
  assert.match(log, /^goes on after step [1-9]\d* of \d+, from its checkpoint$/m, 'the target went on, too');
  assert.deepEqual(digestsOf(second), digestsOf(whole), 'the same bytes');
  const { body } = await server.ask<Run>('GET', `/api/v1/runs/${runId}`);
  assert.deepEqual(
    body.leases.map(({ nodeId, left: why, resumedFrom }) => [nodeId, why?.code ?? null, resumedFrom]),
    [
      [one.nodeId, 'preempted', null],
      [other.nodeId, null, left.checkpointSha256],
    ],
  );
  const record = await server.ask<string>('GET', body.retraininfo!.href);
  assert.match(record.body, new RegExp(`^Retrain-Resumed-From: ${left.checkpointSha256} of lease 1$`, 'm'));
});

test('a node that dies in the middle costs what it did since its last checkpoint', async (t) => {
  if (whole === null) return t.skip('the run that nobody disturbed did not come to its end');
  const [one, other] = [await server.enrol('dying'), await server.enrol('heir')];
  const { runId } = await waitingRun();
  const death = new AbortController();
  const died = new Error('the node died');
  // As soon as the farm has a checkpoint.
  const dies = (async () => {
    while (!death.signal.aborted) {
      const { checkpointSha256, state } = (await runs.byId(server.db, runId))!;
      if (checkpointSha256 !== null) death.abort(died);
      else if (state === 'reported') return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const options = { death: death.signal, checkpointSeconds: 0.1 };
  await assert.rejects(serve(runId, one, undefined, options), died);
  await dies;
  const lost = { outcome: 'lost', blame: 'farm', detail: 'nothing was heard' } as const;
  await runs.giveBack(server.db, { runId, leaseEpoch: 1, ...lost });
  const second = await serve(runId, other);
  assert.ok(second?.kind === 'reported', `${JSON.stringify(second)}\n${await logOf(runId)}`);
  assert.match(await logOf(runId), /^goes on after step [1-9]\d* of \d+, from its checkpoint$/m);
  assert.deepEqual(digestsOf(second), digestsOf(whole), 'the same bytes');
});
