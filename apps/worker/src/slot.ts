// What a slot does when it is rung: asks for the assignment, takes the steps with a beating heart, reports, and leaves
// nothing behind. Every way a lease may end goes through here:
//
//   done or broken ──► run.ts has reported         lease lost           ──► nothing is told: nobody wants it
//   cancelled      ──► reported so                 preempted, given back, shutdown ──► given back, without blame
import { join } from 'node:path';
import type { RunStep } from '@retraind/shared/job/states';
import type { Ring } from '@retraind/shared/wire/doorbell';
import type { ReportOutcome } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';
import { Beat, LeaveAsked, RunStopped } from './beat.ts';
import { breakageOf } from './breakage.ts';
import type { FarmLimits } from './farm-limits.ts';
import type { SlotDevices } from './gpu/slot-devices.ts';
import { httpFarmClient } from './http-farm-client.ts';
import { removeTree, slotFolder } from './leftovers.ts';
import type { NodeKey } from './node-key.ts';
import type { Programs } from './programs.ts';
import { run } from './run.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { brokenOutcome } from './steps/report.ts';

export interface SlotParts {
  api: string;
  key: NodeKey;
  slot: number;
  /** RETRAIND_WORK. */
  work: string;
  sandbox: Sandbox;
  programs: Programs;
  devices: SlotDevices;
  /** Cores that a recipe may use. */
  parallel: number;
  /** What the farm allows any run. */
  limits: FarmLimits;
  checkpointSeconds: number;
  /** How long a target may take to write a checkpoint when this worker stops. */
  stopGraceSeconds: number;
  shutdown: AbortSignal;
  log: Logger;
}

/** A farm that is away is waited for at least so long; a lease that lasts longer is worth a longer wait. */
const leastPatienceSeconds = 60;
/** How long a worker that shuts down or stops a run tries to say so. */
const farewellSeconds = 5;

/** Serves one lease from ring to report. Throws only what is a bug. */
export async function serveRing(ring: Ring, parts: SlotParts): Promise<void> {
  const { api, key, shutdown } = parts;
  const log = parts.log.child({ ...ring });
  const lease = { api, key, ...ring };
  let assignment: Awaited<ReturnType<ReturnType<typeof httpFarmClient>['takeAssignment']>>;
  try {
    const farm = httpFarmClient({ ...lease, signal: shutdown });
    assignment = await farm.takeAssignment();
    // Nothing is done before the farm knows: from then on no other process gets this lease.
    await farm.heartbeat({ step: 'fetch', progress: null });
  } catch (error) {
    // Rung for an old lease or one that was begun, or the farm is away: the lease ends by itself.
    return log.warn({ err: error }, 'ring not answered');
  }
  log.info({ source: assignment.source, version: assignment.version }, 'run begins');

  const silence = new AbortController();
  const beat = new Beat({
    farm: httpFarmClient({ ...lease, signal: silence.signal }),
    heartbeatSeconds: assignment.heartbeatSeconds,
    shutdown,
    stopGraceSeconds: parts.stopGraceSeconds,
    onTrouble: (error) => log.warn({ err: error }, 'heartbeat failed'),
  });
  const patienceSeconds = Math.max(leastPatienceSeconds, 2 * assignment.leaseSeconds);
  const folder = join(slotFolder(parts.work, parts.slot), `${ring.runId}-${ring.leaseEpoch}`);
  let step: RunStep = 'fetch';
  try {
    const outcome = await run({
      nodeId: key.nodeId,
      assignment,
      farm: httpFarmClient({ ...lease, patienceSeconds, signal: beat.signal }),
      sandbox: parts.sandbox,
      programs: parts.programs,
      devices: parts.devices,
      folder,
      cache: join(parts.work, 'cache'),
      parallel: parts.parallel,
      limits: parts.limits,
      checkpointSeconds: parts.checkpointSeconds,
      signal: beat.signal,
      leave: beat.leave,
      onProgress: (at, fraction) => {
        step = at;
        beat.at(at, fraction);
      },
    });
    log.info(
      outcome.kind === 'broken' ? { blame: outcome.blame, step, code: outcome.code } : { kind: outcome.kind },
      'run ended',
    );
  } catch (error) {
    const farewell = farewellOf(step, beat.signal.aborted ? beat.signal.reason : error);
    log.warn(
      { err: error, step, told: farewell !== null && 'code' in farewell ? farewell.code : null },
      'run stopped',
    );
    if (farewell !== null) {
      const farm = httpFarmClient({ ...lease, patienceSeconds: farewellSeconds });
      await farm.report(farewell).catch((failure) => log.warn({ err: failure }, 'farewell failed'));
    }
  } finally {
    silence.abort();
    await beat.end();
    await removeTree(folder);
  }
}

/** What the farm is told of a run that did not come to its report; null where it wants to hear nothing. */
function farewellOf(step: RunStep, error: unknown): ReportOutcome | null {
  if (error instanceof LeaveAsked) {
    return { kind: 'given-back', code: error.code, step, detail: error.message };
  }
  if (error instanceof RunStopped) {
    switch (error.why) {
      case 'lease-lost':
        return null;
      case 'cancelled':
        return {
          kind: 'broken',
          blame: 'cancelled',
          step,
          code: 'run-cancelled',
          detail: 'the run was cancelled while it ran',
          hint: null,
        };
      case 'shutdown':
        return {
          kind: 'given-back',
          code: 'node-stopped',
          step,
          detail: 'the worker was stopped while the run was on it',
        };
    }
  }
  if (error instanceof Problem && (error.code === 'lease-lost' || error.code === 'not-your-run')) return null;
  return brokenOutcome(step, breakageOf(step, error));
}
