// What the farm says over HTTP: every JSON resource as one schema, which is its validation, its type and its documentation.
// Times are ISO 8601 in UTC and end in `At`; `href` is the resource's own address and `…Href` another's, paths on the same
// server; `pageHref` is its page for people.
import { type Static, Type } from 'typebox';
import { leaveCodes } from '../job/lease-end.ts';
import { purposes } from '../job/run-place.ts';
import { blames, jobStates, leaseOutcomes, runStates, runSteps } from '../job/states.ts';
import { comparisons, policies, tasks } from '../recipe/recipe.ts';
import { rungs } from '../verdict/evidence.ts';
import {
  literals,
  NodeId,
  RunId,
  RunPlaceSchema,
  Sha256,
  SuiteSpec,
  WithheldRecordsSchema,
} from './messages.ts';
import { NodeCheck } from './node-check.ts';
import { Count, Fraction, Href, nullable, Text, Time } from './shapes.ts';
import { Verdict } from './verdict.ts';

/** A source package's name (Policy 5.6.1); also what a Guix package may be called. */
export const SourceName = Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]{0,127}$' });
export const VersionString = Type.String({ pattern: '^[A-Za-z0-9.+:~-]{1,128}$' });
export const JobId = Type.String({ pattern: '^[0-9a-z]{1,32}$' });
export const SuiteName = Type.String({ pattern: '^[a-z0-9][a-z0-9.+-]{0,62}$' });

/** How a lease ended badly: whose fault, at which step, and the cure. */
export const Breakage = Type.Object({
  blame: literals(blames),
  step: nullable(literals(runSteps)),
  code: Text,
  detail: Text,
  hint: nullable(Text),
});
export type Breakage = Static<typeof Breakage>;

/** What was spent: billed by leases that have ended. */
export const Bill = Type.Object({
  gpuHours: Type.Number({ minimum: 0 }),
  cpuHours: Type.Number({ minimum: 0 }),
  kilowattHours: Type.Number({ minimum: 0 }),
  /** Of these: told by counters of the devices; the rest is sampled or estimated. */
  countedKilowattHours: Type.Number({ minimum: 0 }),
  /** Null where no admin has said what a kWh costs. */
  gramsCo2e: nullable(Type.Number({ minimum: 0 })),
});
export type Bill = Static<typeof Bill>;

/** One lease of a run: a slot's right to it under one epoch. */
export const Lease = Type.Object({
  leaseEpoch: Type.Integer({ minimum: 1 }),
  nodeId: NodeId,
  slot: Count,
  /** The devices that its run may have. */
  deviceIds: Type.Array(Text),
  /** Machine and architecture of those that its recipe is given; null before it told its recipe. */
  class: nullable(Text),
  startedAt: Time,
  endedAt: nullable(Time),
  outcome: nullable(literals(leaseOutcomes)),
  breakage: nullable(Breakage),
  /** Why it ended before its end without blame; null where it did not. */
  left: nullable(Type.Object({ code: literals(leaveCodes), detail: Text })),
  /** Checkpoint of an earlier lease with which it began. */
  resumedFrom: nullable(Sha256),
});
export type Lease = Static<typeof Lease>;

/** A model file that a run made or was held against. */
export const ModelFile = Type.Object({
  model: Text,
  sha256: Sha256,
  bytes: Count,
  tensorSha256: nullable(Sha256),
  metric: nullable(Type.Object({ name: Text, value: Type.Number() })),
  logLoss: nullable(Type.Number()),
  faults: Type.Array(Text),
  weightsHref: Href,
});
export type ModelFile = Static<typeof ModelFile>;

/** A record of a run by digest. `signed` is false until the farm signs (the pages say "unsigned"). */
export const RecordRef = Type.Object({ sha256: Sha256, href: Href, signed: Type.Boolean() });

/** A run in a list. */
export const RunSummary = Type.Object({
  runId: RunId,
  jobId: JobId,
  source: Text,
  version: Text,
  ...RunPlaceSchema.properties,
  /** `check`: made for the farm's own sake, to hold a node against another. */
  purpose: literals(purposes),
  seed: nullable(Count),
  state: literals(runStates),
  step: nullable(literals(runSteps)),
  progress: nullable(Fraction),
  nodeId: nullable(NodeId),
  leaseEpoch: Count,
  createdAt: Time,
  changedAt: Time,
  href: Href,
  pageHref: Href,
});
export type RunSummary = Static<typeof RunSummary>;

/** A run whole: seed, node, blame, outputs, and where its log and records lie. */
export const Run = Type.Object({
  ...RunSummary.properties,
  breakage: nullable(Breakage),
  engine: nullable(Text),
  taints: Type.Array(Text),
  /** What a dependence run was not given; null for other runs. */
  withheld: nullable(Type.Array(WithheldRecordsSchema)),
  trainSeconds: nullable(Type.Number()),
  /** Over all its leases that have ended: what was lost or given back was spent too. */
  bill: Bill,
  outputs: Type.Array(ModelFile),
  references: Type.Array(ModelFile),
  retraininfo: nullable(RecordRef),
  provenance: nullable(RecordRef),
  leases: Type.Array(Lease),
  logHref: Href,
  metricsHref: Href,
  jobHref: Href,
});
export type Run = Static<typeof Run>;

/** What the recipe declares of one model, as the job registered it before any run. */
export const JobModel = Type.Object({
  name: Text,
  output: Text,
  comparison: literals(comparisons),
  task: literals(tasks),
  license: Text,
  metric: nullable(Text),
  margin: nullable(Type.Number()),
  claimedMetric: nullable(Type.Number()),
});
export type JobModel = Static<typeof JobModel>;

/** A job in a list. */
export const JobSummary = Type.Object({
  jobId: JobId,
  source: Text,
  version: Text,
  suite: Text,
  state: literals(jobStates),
  reason: nullable(Text),
  /** Mean of the runs' progress over the runs asked for so far; null before the first lease. */
  progress: nullable(Fraction),
  runsWanted: Count,
  runsReported: Count,
  verdicts: Type.Array(
    Type.Object({ model: Text, rung: literals(rungs), sentence: Text, final: Type.Boolean() }),
  ),
  createdAt: Time,
  changedAt: Time,
  href: Href,
  pageHref: Href,
});
export type JobSummary = Static<typeof JobSummary>;

/** A lease that brought no result: what was tried, and why it is tried again or not. */
export const Attempt = Type.Object({
  runId: RunId,
  leaseEpoch: Type.Integer({ minimum: 1 }),
  nodeId: NodeId,
  nodeName: Text,
  startedAt: Time,
  endedAt: Time,
  outcome: literals(leaseOutcomes),
  /** Null where nobody is to blame: the run left its slot because it was asked to. */
  blame: nullable(literals(blames)),
  step: nullable(literals(runSteps)),
  code: Text,
  detail: Text,
  hint: nullable(Text),
  runHref: Href,
});
export type Attempt = Static<typeof Attempt>;

/** A job whole: what was wished, its runs in seed order, and the verdict on each model. */
export const Job = Type.Object({
  ...JobSummary.properties,
  verdicts: Type.Array(Verdict),
  /** Seed of the job: given by a person, or derived from public randomness (null until the recipe is known). */
  jobSeed: nullable(Text),
  seedOverride: nullable(Text),
  beacon: Text,
  /** What is expected of one run, in words; null where nobody has timed one. */
  expected: nullable(Text),
  /** Of all its runs. */
  bill: Bill,
  /** The release that it is part of. */
  releaseHref: nullable(Href),
  overlaySha256: nullable(Sha256),
  models: Type.Array(JobModel),
  runs: Type.Array(RunSummary),
  /** Leases that brought no result, newest first; the last fifty. */
  attempts: Type.Array(Attempt),
  /** Checks of nodes by its runs, newest first: no verdict rests on them, and the farm pays. */
  checks: Type.Array(NodeCheck),
  /** The in-toto statement of each verdict, by model; absent where none was made. */
  statements: Type.Array(Type.Object({ model: Text, ...RecordRef.properties })),
  explainHref: Href,
  evidenceHref: Href,
});
export type Job = Static<typeof Job>;

/** Every file that the verdicts of a job rest on, by digest. Shipped files may not be kept: then their address answers 404. */
export const EvidenceBundle = Type.Object({
  jobId: JobId,
  models: Type.Array(
    Type.Object({
      model: Text,
      rung: nullable(literals(rungs)),
      statementHref: nullable(Href),
      files: Type.Array(
        Type.Object({
          /** What the file is: shipped, or made by a run with this purpose. */
          role: literals(['shipped', ...purposes] as const),
          /** Model file, predictions on a set, true answers, slices, weights, picture of a trigger. */
          what: Text,
          /** Of the run that made it; null for the shipped file. */
          seed: nullable(Type.Integer()),
          sha256: Sha256,
          href: Href,
          /** The run that made or saw it. */
          runHref: Href,
        }),
      ),
    }),
  ),
  jobHref: Href,
});
export type EvidenceBundle = Static<typeof EvidenceBundle>;

/** Why a job is where it is, as `decide` sees it at this moment. */
export const Explanation = Type.Object({
  jobId: JobId,
  state: literals(jobStates),
  sentence: Text,
  /** What is not weighed yet, said aloud. */
  licence: Text,
  /**
   * Runs that wait or are leased, in seed order; `place` is that in the queue, from 1; `expectedAt` an estimate of the start,
   * null where none can be given.
   */
  runs: Type.Array(
    Type.Object({
      runId: RunId,
      seedIndex: Count,
      state: literals(['waiting', 'leased'] as const),
      sentence: Text,
      place: nullable(Type.Integer({ minimum: 1 })),
      expectedAt: nullable(Time),
    }),
  ),
  /** Why no slot takes the first run that waits: every clause of every slot. */
  clauses: Type.Array(
    Type.Object({
      nodeId: nullable(NodeId),
      slot: nullable(Count),
      clause: Text,
      holds: Type.Boolean(),
      detail: Text,
    }),
  ),
});
export type Explanation = Static<typeof Explanation>;

/** One version of a package in a suite, with the tag that the archive's index carries. */
export const Version = Type.Object({
  source: Text,
  version: Text,
  suite: Text,
  /** `XS-Retrain:` and its companions; null where an overlay brings the recipe. */
  target: nullable(Text),
  accelerator: nullable(Text),
  policy: nullable(literals(policies)),
  foundAt: Time,
  /** When a newer version took its place in the suite; null for the current one. */
  supersededAt: nullable(Time),
  jobs: Type.Array(JobSummary),
  href: Href,
  pageHref: Href,
});
export type Version = Static<typeof Version>;

/** A package: its versions, newest first. */
export const Package = Type.Object({
  source: Text,
  versions: Type.Array(Version),
  href: Href,
  pageHref: Href,
});
export type Package = Static<typeof Package>;

/** Everything that the farm knows of a model file with these bytes. */
export const ModelKnown = Type.Object({
  sha256: Sha256,
  /** Whether the farm keeps the bytes. */
  kept: Type.Boolean(),
  bytes: nullable(Count),
  seenAs: Type.Array(
    Type.Object({
      role: literals(['shipped', 'retrained'] as const),
      source: Text,
      version: Text,
      model: Text,
      jobId: JobId,
      runId: RunId,
      seed: nullable(Type.Integer()),
      rung: nullable(literals(rungs)),
      sentence: nullable(Text),
      jobHref: Href,
      runHref: Href,
    }),
  ),
  weightsHref: nullable(Href),
});
export type ModelKnown = Static<typeof ModelKnown>;

/** A kept file. */
export const Artifact = Type.Object({ sha256: Sha256, bytes: Count, href: Href });
export type Artifact = Static<typeof Artifact>;

export const Suite = Type.Object({
  ...SuiteSpec.properties,
  intakeSeconds: Type.Integer({ minimum: 1 }),
  indexedAt: nullable(Time),
  /** Why the last reading of its index failed; null after one that did not. */
  indexProblem: nullable(Text),
});
export type Suite = Static<typeof Suite>;

/** An error (RFC 9457). `field` says where in the request; `faults` are those of a recipe. */
export const ProblemBody = Type.Object({
  type: Text,
  title: Text,
  status: Type.Integer(),
  detail: Text,
  hint: Type.Optional(Text),
  requestId: Type.Optional(Text),
  faults: Type.Optional(Type.Array(Type.Object({ field: Text, message: Text }))),
});
export type ProblemBody = Static<typeof ProblemBody>;

/** The wish for a retrain (`POST /api/v1/jobs`). */
export const JobRequest = Type.Object(
  {
    source: SourceName,
    version: Type.Optional(VersionString),
    suite: Type.Optional(SuiteName),
    seed: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,18}$',
        description: 'A job seed given by a person, instead of one from public randomness.',
      }),
    ),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 })),
    override: Type.Optional(
      Type.Boolean({ description: 'Ask in spite of the ledger of the infeasible: an admin may.' }),
    ),
  },
  { additionalProperties: false },
);
export type JobRequest = Static<typeof JobRequest>;

/** A deed on a job for which a person answers. */
export const Deed = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 1_000 }) },
  { additionalProperties: false },
);
export type Deed = Static<typeof Deed>;

export const SuiteRequest = Type.Object(
  {
    ...SuiteSpec.properties,
    intakeSeconds: Type.Integer({ minimum: 1, maximum: 604_800 }),
  },
  { additionalProperties: false },
);
export type SuiteRequest = Static<typeof SuiteRequest>;
