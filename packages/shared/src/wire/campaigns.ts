// Releases, budgets, the ledger, tokens and the audit, as the farm tells them.
import { type Static, Type } from 'typebox';
import { estimateBases } from '../cost/estimate.ts';
import { jobStates } from '../job/states.ts';
import { ledgerReasons } from '../ledger/entry.ts';
import { roles } from '../policy/roles.ts';
import { releaseStates } from '../release/plan.ts';
import { rungs } from '../verdict/evidence.ts';
import { literals } from './messages.ts';
import { Bill, JobId, JobSummary, SourceName, SuiteName, VersionString } from './resources.ts';
import { Count, Href, nullable, Text, Time } from './shapes.ts';

const Hours = Type.Number({ minimum: 0 });
const Unit = literals(['gpu', 'cpu'] as const);
const Span = Type.Object({ least: Hours, expected: Hours, most: Hours });
const Reason = Type.String({ minLength: 1, maxLength: 1_000 });
const closed = { additionalProperties: false } as const;

/** What is expected of one run, and what that rests on. */
export const RunEstimate = Type.Object({
  basis: literals(estimateBases),
  seconds: nullable(Type.Number({ minimum: 0 })),
  range: nullable(Type.Array(Type.Number({ minimum: 0 }), { minItems: 2, maxItems: 2 })),
  gpus: Count,
  device: nullable(Text),
  detail: Text,
});

/** shared/release/plan: ReleasePlan. */
export const ReleasePlan = Type.Object({
  suite: SuiteName,
  items: Type.Array(
    Type.Object({
      source: Text,
      version: Text,
      origin: literals(['tag', 'overlay'] as const),
      models: nullable(Type.Array(Text)),
      runs: Type.Object({ fewest: Count, expected: Count, most: Count }),
      estimate: RunEstimate,
      unit: Unit,
      hours: nullable(Span),
      kilowattHours: nullable(Span),
      boundHours: nullable(Hours),
      jobId: nullable(JobId),
    }),
  ),
  done: Type.Array(Type.Object({ source: Text, version: Text, jobId: JobId, state: literals(jobStates) })),
  refusals: Type.Array(
    Type.Object({
      source: Text,
      version: Text,
      code: literals(['policy', 'ledger', 'recipe'] as const),
      reason: Text,
    }),
  ),
  sums: Type.Object({
    packages: Count,
    models: Count,
    runs: Span,
    gpuHours: Span,
    cpuHours: Span,
    kilowattHours: Span,
    untimed: Count,
  }),
  budgets: Type.Array(
    Type.Object({
      account: Text,
      unit: Unit,
      leftHours: Hours,
      neededHours: Hours,
      suffices: Type.Boolean(),
    }),
  ),
});

export const ReleaseSummary = Type.Object({
  releaseId: JobId,
  suite: SuiteName,
  state: literals(releaseStates),
  reason: Text,
  startedBy: Text,
  startedAt: Time,
  stateAt: Time,
  href: Href,
  pageHref: Href,
});
export type ReleaseSummary = Static<typeof ReleaseSummary>;

/** A release whole: what was planned, and what it has come to. */
export const Release = Type.Object({
  ...ReleaseSummary.properties,
  plan: ReleasePlan,
  jobCounts: Type.Array(Type.Object({ state: literals(jobStates), count: Count })),
  verdictCounts: Type.Array(Type.Object({ rung: literals(rungs), count: Count })),
  spent: Bill,
  jobs: Type.Array(JobSummary),
});
export type Release = Static<typeof Release>;

export const ReleaseStarted = Type.Object({ release: Release, jobsMade: Count });
export type ReleaseStarted = Static<typeof ReleaseStarted>;

export const ReleaseRequest = Type.Object({ suite: SuiteName, reason: Reason }, closed);

export const BudgetAccount = Type.String({
  pattern: '^(suite|requester):[\\x21-\\x7e]{1,128}$',
  description: '`suite:NAME`, or `requester:NAME` with the name of a token (or `intake`).',
});
const Limit = Type.Optional(nullable(Type.Number({ minimum: 0, maximum: 1e9 })));
const limits = {
  gpuHours: Limit,
  cpuHours: Limit,
  approvalGpuHours: Limit,
  approvalCpuHours: Limit,
};

/** Limits that are left out stay as they are; null takes one away. */
export const BudgetRequest = Type.Object(
  { account: BudgetAccount, ...limits, renew: Type.Optional(Type.Boolean()), reason: Reason },
  closed,
);
export type BudgetRequest = Static<typeof BudgetRequest>;

export const Budget = Type.Object({
  account: Text,
  gpuHours: nullable(Hours),
  cpuHours: nullable(Hours),
  approvalGpuHours: nullable(Hours),
  approvalCpuHours: nullable(Hours),
  spentGpuHours: Hours,
  spentCpuHours: Hours,
  reservedGpuHours: Hours,
  reservedCpuHours: Hours,
  since: Time,
  setBy: Text,
  setAt: Time,
});
export type Budget = Static<typeof Budget>;

const TrainingEstimate = Type.Object({
  parameters: Type.Number({ exclusiveMinimum: 0 }),
  tokens: Type.Number({ exclusiveMinimum: 0 }),
  basis: Text,
  device: Text,
  gpuHours: Hours,
  gpuHoursRange: Type.Array(Hours, { minItems: 2, maxItems: 2 }),
  kilowattHours: Hours,
});

export const LedgerEntry = Type.Object({
  ledgerId: Count,
  source: Text,
  model: nullable(Text),
  reason: literals(ledgerReasons),
  detail: Text,
  evidence: Type.Array(Text),
  estimate: nullable(TrainingEstimate),
  reviewer: Text,
  reviewedAt: Time,
  expiresAt: Time,
  inForce: Type.Boolean(),
  removedAt: nullable(Time),
  removedBy: nullable(Text),
  removedReason: nullable(Text),
});
export type LedgerEntry = Static<typeof LedgerEntry>;

export const LedgerRequest = Type.Object(
  {
    source: SourceName,
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    reason: literals(ledgerReasons),
    detail: Type.String({ minLength: 1, maxLength: 2_000 }),
    evidence: Type.Optional(
      Type.Array(Type.String({ pattern: '^https?://[\\x21-\\x7e]{1,2000}$' }), { maxItems: 20 }),
    ),
    /** Parameters, and tokens that training reads: the farm computes the rest. */
    training: Type.Optional(
      Type.Object(
        {
          parameters: Type.Number({ exclusiveMinimum: 0, maximum: 1e15 }),
          tokens: Type.Number({ exclusiveMinimum: 0, maximum: 1e18 }),
          basis: Type.String({ minLength: 1, maxLength: 1_000 }),
        },
        closed,
      ),
    ),
    expiresAt: Time,
    why: Reason,
  },
  closed,
);
export type LedgerRequest = Static<typeof LedgerRequest>;

export const PilotRequest = Type.Object(
  {
    source: SourceName,
    version: VersionString,
    seconds: Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 1e8 }), { minItems: 1, maxItems: 20 }),
    gpus: Type.Integer({ minimum: 0, maximum: 64 }),
    device: Type.String({ minLength: 1, maxLength: 256 }),
    reason: Reason,
  },
  closed,
);
export type PilotRequest = Static<typeof PilotRequest>;

export const Token = Type.Object({
  name: Text,
  role: literals(roles),
  suites: Type.Array(Text),
  sources: Type.Array(Text),
  createdAt: Time,
  revokedAt: nullable(Time),
});
export type Token = Static<typeof Token>;

export const TokenRequest = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$' }),
    role: literals(roles),
    suites: Type.Optional(Type.Array(Type.Union([SuiteName, Type.Literal('*')]), { maxItems: 100 })),
    sources: Type.Optional(Type.Array(SourceName, { maxItems: 1_000 })),
    reason: Reason,
  },
  closed,
);
export type TokenRequest = Static<typeof TokenRequest>;

/** The one time that the token itself is told. */
export const TokenMade = Type.Object({ name: Text, token: Text });
export type TokenMade = Static<typeof TokenMade>;

export const AuditEntry = Type.Object({
  auditId: Count,
  at: Time,
  actor: Text,
  deed: Text,
  subject: Text,
  reason: Text,
  facts: Type.Record(Type.String(), Type.Unknown()),
});
export type AuditEntry = Static<typeof AuditEntry>;
