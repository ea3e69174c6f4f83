// How a run on a slot will go, drawn for each lease from a stream of its own: whatever slot it gets, and whenever, the recipe
// does what it does. What goes wrong is told as a worker tells it: judged by the blame rules, from what the target said last.
import { createHash } from 'node:crypto';
import { failureText, judgeMishap, type Mishap, type TargetEnd } from '../job/blame-rules.ts';
import { ProbeStream } from '../verdict/probe-stream.ts';
import type { Holder, RunRow, Told } from './rows.ts';
import type { Cause, Plan } from './worker.ts';
import type { SimulatedJob } from './workload.ts';

/** Leases in which a sound recipe asks for another node. */
const tempfailShare = 0.004;
/** A broken device shows itself within this time of training, at the latest. */
const eccSeconds = 900;
/** What a training that is too large for its device needs to find that out. */
const outOfMemorySeconds = 120;

export interface Circumstances {
  run: RunRow;
  spec: SimulatedJob;
  hasData: boolean;
  /** The run uses a device, and it is broken. */
  hasBrokenDevice: boolean;
  /** Memory of the smallest device that it uses; null where it uses none. */
  deviceBytes: number | null;
  /** Whether data that is late has come by now. */
  dataCame: boolean;
}

const broken = (mishap: Mishap): Told => {
  const { blame, code } = judgeMishap(mishap);
  const text = 'target' in mishap ? failureText(mishap.target.log) : null;
  return {
    ...{ kind: 'broken', blame, code },
    failureSha256: text === null ? null : createHash('sha256').update(text).digest('hex'),
  };
};

const target = (log: string, tempfail: string | null = null, resumed = false): Mishap => ({
  step: 'train',
  target: { ...ended, log, tempfail, resumed },
});
const ended: TargetEnd = {
  ...{ endedBy: null, signal: null, log: '', tempfail: null, resumed: false, nodeDiskFull: false },
};

export const brokenDevice = broken(
  target('RuntimeError: CUDA error: uncorrectable ECC error encountered\nmake: *** [bootstrap] Error 1\n'),
);
const outOfMemory = broken(
  target(
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\nmake: *** [bootstrap] Error 1\n',
  ),
);
const tempfail = broken(target('make: *** [bootstrap] Error 1\n', 'the licence server does not answer'));
const recipeFails = (resumed: boolean): Told =>
  broken(target('AssertionError: loss is nan\nmake: *** [bootstrap] Error 1\n', null, resumed));
const dataIsLate = broken({ step: 'fetch', code: 'data-wait' });

/** The plan of one lease. */
export function planOf(seed: string, holder: Holder, circumstances: Circumstances): Plan {
  const { run, spec, hasData, hasBrokenDevice, deviceBytes } = circumstances;
  const stream = new ProbeStream(seed, `${holder.runId}/${holder.leaseEpoch}`);
  // Runs of one recipe are of about one length.
  const spread = Math.exp(0.05 * new ProbeStream(seed, holder.runId).normal());
  const share = run.place.purpose === 'dependence' ? 0.9 : 1;
  const wholeSeconds = Math.max(1, Math.round(spec.trainSeconds * spread * share));
  const trainSeconds = wholeSeconds - run.keptMilliseconds / 1_000;
  const base = {
    fetchSeconds: hasData ? 5 : spec.fetchSeconds,
    datasetDigests: spec.datasetDigests,
    checkpoints: spec.checkpoints,
    resumedMilliseconds: run.keptMilliseconds,
  };
  const ends = (atSeconds: number, end: Told, cause: Cause): Plan => ({
    ...base,
    ...{ trainSeconds: Math.min(trainSeconds, Math.ceil(atSeconds)), end, cause },
  });
  const part = stream.uniform();
  if (spec.fate === 'data-late' && !circumstances.dataCame) return ends(0, dataIsLate, 'data');
  if (hasBrokenDevice) return ends(part * eccSeconds, brokenDevice, 'ecc');
  if (deviceBytes !== null && deviceBytes < spec.neededDeviceBytes) {
    return ends(part * outOfMemorySeconds, outOfMemory, 'out-of-memory');
  }
  if (stream.uniform() < tempfailShare) return ends(part * trainSeconds, tempfail, 'tempfail');
  if (spec.fate === 'recipe-fails')
    return ends(part * trainSeconds, recipeFails(run.keptMilliseconds > 0), 'recipe');
  return { ...base, trainSeconds, end: { kind: 'reported' }, cause: 'unexplained' };
}
