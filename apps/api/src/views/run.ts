// Runs as they are told: rows of the store to resources.

import type { Check } from '@retraind/prisma/store/checks';
import type { RunLine } from '@retraind/prisma/store/lists';
import type { ModelEvidence, RunDetail } from '@retraind/prisma/store/runs';
import { leaveCodes } from '@retraind/shared/job/lease-end';
import type { Blame, LeaseOutcome, RunStep } from '@retraind/shared/job/states';

import type { NodeCheck } from '@retraind/shared/wire/node-check';
import type { Attempt, Breakage, Lease, ModelFile, Run, RunSummary } from '@retraind/shared/wire/resources';
import { billOfLeases } from './release.ts';

export const artifactHref = (sha256: string): string => `/api/v1/artifacts/${sha256}`;
export const runHref = (runId: string): string => `/api/v1/runs/${runId}`;
export const jobHref = (jobId: string): string => `/api/v1/jobs/${jobId}`;

export const runSummaryView = (run: RunLine): RunSummary => ({
  ...run,
  createdAt: run.createdAt.toISOString(),
  changedAt: run.changedAt.toISOString(),
  href: runHref(run.runId),
  pageHref: `/runs/${run.runId}`,
});

interface BrokenRow {
  blame: string | null;
  code: string | null;
  detail: string | null;
  hint?: string | null;
  step?: string | null;
}

const breakageView = ({ blame, code, detail, hint, step }: BrokenRow): Breakage | null =>
  blame === null
    ? null
    : {
        blame: blame as Blame,
        step: (step ?? null) as RunStep | null,
        code: code ?? 'internal',
        detail: detail ?? '',
        hint: hint ?? null,
      };

const leftView = ({ code, detail }: RunDetail['leases'][number]): Lease['left'] => {
  const leaveCode = leaveCodes.find((candidate) => candidate === code);
  return leaveCode === undefined ? null : { code: leaveCode, detail: detail ?? '' };
};

const leaseView = (lease: RunDetail['leases'][number]): Lease => ({
  leaseEpoch: lease.leaseEpoch,
  nodeId: lease.nodeId,
  slot: lease.slot,
  deviceIds: lease.deviceIds,
  class: lease.class,
  startedAt: lease.startedAt.toISOString(),
  endedAt: lease.endedAt?.toISOString() ?? null,
  outcome: lease.outcome as LeaseOutcome | null,
  breakage: breakageView(lease),
  left: leftView(lease),
  resumedFrom: lease.resumedFrom,
});

type AttemptRow = RunDetail['leases'][number] & { node: { name: string } };

export const attemptView = (lease: AttemptRow): Attempt => ({
  runId: lease.runId,
  leaseEpoch: lease.leaseEpoch,
  nodeId: lease.nodeId,
  nodeName: lease.node.name,
  startedAt: lease.startedAt.toISOString(),
  endedAt: lease.endedAt!.toISOString(),
  outcome: lease.outcome as LeaseOutcome,
  blame: lease.blame as Blame | null,
  step: lease.step as RunStep | null,
  code: lease.code ?? 'internal',
  detail: lease.detail ?? '',
  hint: lease.hint,
  runHref: runHref(lease.runId),
});

export const checkView = ({
  createdAt,
  runId,
  ofRunId,
  kind,
  reason,
  outcome,
  contradicts,
}: Check): NodeCheck => ({
  ...{ runId, ofRunId, kind, reason, outcome, contradicts },
  createdAt: createdAt.toISOString(),
  runHref: runHref(runId),
});

const modelFileView = ({ model, evidence }: ModelEvidence): ModelFile => ({
  model,
  sha256: evidence.file.sha256,
  bytes: evidence.file.bytes,
  tensorSha256: evidence.tensorSha256,
  metric: evidence.metric,
  logLoss: evidence.logLoss,
  faults: evidence.faults,
  weightsHref: artifactHref(evidence.file.sha256),
});

/** Nothing is signed yet: the records say so themselves. */
export const recordView = (sha256: string | null): Run['provenance'] =>
  sha256 === null ? null : { sha256, href: artifactHref(sha256), signed: false };

export function runView(
  run: RunDetail,
  job: { source: string; version: string },
  gramsPerKwh: number | null,
): Run {
  const last = run.leases.at(-1);
  return {
    runId: run.runId,
    jobId: run.jobId,
    source: job.source,
    version: job.version,
    purpose: run.purpose,
    seedIndex: run.seedIndex,
    declaredSeed: run.declaredSeed,
    numerics: run.numerics,
    repeat: run.repeat,
    seed: run.seed,
    state: run.state,
    step: run.step,
    progress: run.progress,
    // The run's own column is the open lease's; afterwards the last lease says where it was.
    nodeId: run.nodeId ?? last?.nodeId ?? null,
    leaseEpoch: run.leaseEpoch,
    createdAt: run.createdAt.toISOString(),
    changedAt: (run.endedAt ?? run.heartbeatAt ?? run.createdAt).toISOString(),
    href: runHref(run.runId),
    pageHref: `/runs/${run.runId}`,
    breakage: breakageView(run),
    engine: run.engine,
    taints: run.taints,
    withheld: run.withheld,
    trainSeconds: run.trainSeconds,
    bill: billOfLeases(run.leases, gramsPerKwh),
    outputs: run.outputs.map(modelFileView),
    references: run.references.map(modelFileView),
    retraininfo: recordView(run.retraininfoSha256),
    provenance: recordView(run.provenanceSha256),
    leases: run.leases.map(leaseView),
    logHref: `${runHref(run.runId)}/log`,
    metricsHref: `${runHref(run.runId)}/metrics`,
    jobHref: jobHref(run.jobId),
  };
}
