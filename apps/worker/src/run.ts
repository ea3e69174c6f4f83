// A run: six steps in a row, each with what the one before it found.
//
//   fetch ──► unpack ──► train ──► evaluate ──► pack ──► report
//
// A step that cannot go on throws a Breakage (or a Problem), which is reported with its blame. A run that is stopped from
// outside (cancelled, lease lost) reports nothing: its signal's reason is thrown. One that is to leave its slot ends at once while
// it fetches and unpacks, after its checkpoint while it trains, and not at all afterwards, when minutes are left: unless its
// worker itself stops.

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Apt, openApt } from '@retraind/host/apt';
import type { RunStep } from '@retraind/shared/job/states';
import type { Assignment, RunOutcome } from '@retraind/shared/wire/messages';
import { LeaveAsked } from './beat.ts';
import { breakageOf } from './breakage.ts';
import type { FarmClient } from './farm-client.ts';
import { defaultFarmLimits, type FarmLimits } from './farm-limits.ts';
import type { SlotDevices } from './gpu/slot-devices.ts';
import type { Programs } from './programs.ts';
import { makeRunFolders } from './run-folders.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { OverlayOrigin, RunContext, SourceOrigin } from './steps/context.ts';
import { evaluateStep } from './steps/evaluate.ts';
import { fetchStep } from './steps/fetch.ts';
import { packStep } from './steps/pack.ts';
import { brokenOutcome, reportStep } from './steps/report.ts';
import { trainStep } from './steps/train.ts';
import { unpackStep } from './steps/unpack.ts';
import { StreamSender } from './stream-sender.ts';

export interface RunOptions {
  /** Of the key of this node; `local` at home. */
  nodeId: string;
  assignment: Assignment;
  farm: FarmClient;
  sandbox: Sandbox;
  programs: Programs;
  devices: SlotDevices;
  /** Of this run alone; emptied first, and left as it is. */
  folder: string;
  /** Kept and shared by the slots of a node. */
  cache: string;
  /** Aborted to stop the run; its reason is thrown. */
  signal: AbortSignal;
  /** Aborted with a LeaveAsked, which is thrown, to let it leave its slot; never where absent. */
  leave?: AbortSignal;
  /** What the farm allows any run. */
  limits?: FarmLimits;
  /** How often the checkpoint is kept; only when the run leaves, where absent. */
  checkpointSeconds?: number;
  onProgress: (step: RunStep, fraction: number | null) => void;
  /** The suite's archive where the caller has it open, lists renewed. */
  archive?: () => Promise<Apt>;
  /** Where absent: the suite's archive. */
  origin?: SourceOrigin;
  /** Where absent: what the assignment says. */
  overlay?: OverlayOrigin;
  referenceFile?: string | null;
  /** Cores that the recipe may use; all where absent. */
  parallel?: number;
}

/** The suite's archive in the cache, its lists renewed when it is first asked for. */
export const suiteArchive = (
  assignment: Pick<Assignment, 'suite'>,
  cache: string,
  signal: AbortSignal,
): (() => Promise<Apt>) => {
  const key = createHash('sha256').update(assignment.suite.sources).digest('hex').slice(0, 32);
  const open = async (): Promise<Apt> => {
    const apt = await openApt({ stateFolder: join(cache, 'apt', key), sources: assignment.suite.sources });
    await apt.refresh(signal);
    return apt;
  };
  let opened: Promise<Apt> | null = null;
  return () => {
    opened ??= open();
    return opened;
  };
};

/** Aborted where the run leaves because its worker stops. */
const stopOf = (leave: AbortSignal): AbortSignal => {
  const stop = new AbortController();
  const look = () => {
    const { reason } = leave;
    if (reason instanceof LeaveAsked && reason.code === 'node-stopped') stop.abort(reason);
  };
  if (leave.aborted) look();
  else leave.addEventListener('abort', look, { once: true });
  return stop.signal;
};

/** Takes all steps. Resolves with what was reported; throws the signal's reason when stopped, and what the farm answers to a lost lease. */
export const run = async (options: RunOptions): Promise<RunOutcome> => {
  const { assignment, farm, signal } = options;
  const leave = options.leave ?? new AbortController().signal;
  const log = new StreamSender((text) => farm.appendLog(text));
  let step: RunStep = 'fetch';
  const context: RunContext = {
    nodeId: options.nodeId,
    assignment,
    farm,
    signal,
    leave,
    limits: options.limits ?? defaultFarmLimits,
    checkpointSeconds: options.checkpointSeconds ?? Number.POSITIVE_INFINITY,
    sandbox: options.sandbox,
    programs: options.programs,
    devices: options.devices,
    folders: await makeRunFolders(options.folder),
    cache: options.cache,
    origin: options.origin ?? { kind: 'archive' },
    overlay:
      options.overlay ??
      (assignment.overlaySha256 === null ? null : { kind: 'artifact', sha256: assignment.overlaySha256 }),
    referenceFile: options.referenceFile ?? null,
    archive: options.archive ?? suiteArchive(assignment, options.cache, signal),
    parallel: options.parallel ?? availableParallelism(),
    say: (text) => log.push(text),
    progress: (at, fraction) => {
      step = at;
      options.onProgress(at, fraction);
    },
  };
  let outcome: RunOutcome;
  try {
    await options.sandbox.check();
    const named = await options.devices.probe(assignment.deviceIds);
    const before = { ...context, signal: AbortSignal.any([signal, leave]) };
    const fetched = await fetchStep(before);
    const unpacked = await unpackStep(before, fetched);
    leave.throwIfAborted();
    const given = await options.devices.give(unpacked.recipe, named);
    const trained = await trainStep(context, unpacked, given);
    const after = { ...context, signal: AbortSignal.any([signal, stopOf(leave)]) };
    const evaluations = await evaluateStep(after, unpacked, trained);
    outcome = await packStep(after, { fetched, unpacked, given, trained, evaluations });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const isLeaving = leave.aborted && (error === leave.reason || step === 'fetch' || step === 'unpack');
    if (isLeaving || stopOf(leave).aborted) {
      context.say(`${step}: left: ${(leave.reason as Error).message}\n`);
      await log.finish();
      throw leave.reason;
    }
    const breakage = breakageOf(step, error);
    const { code, detail, hint } = breakage.problem;
    if (code === 'lease-lost' || code === 'not-your-run') throw breakage.problem;
    context.say(
      `${step}: broken (${code}, blame ${breakage.blame}): ${detail}\n${hint === undefined ? '' : `${hint}\n`}`,
    );
    if (code === 'internal') context.say(`${(error as Error).stack ?? ''}\n`);
    outcome = brokenOutcome(step, breakage);
  }
  await log.finish();
  return await reportStep(context, outcome);
};
