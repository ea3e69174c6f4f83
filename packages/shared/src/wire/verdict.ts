// The verdict on one model as it travels: schema, type and documentation of what verdict/evidence calls ModelVerdict.
import { type Static, type TSchema, Type } from 'typebox';
import { alarmNames, cellKinds, evidenceSets, rungs, testIds } from '../verdict/evidence.ts';
import { literals, Sha256 } from './messages.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
const Fraction = Type.Number({ minimum: 0, maximum: 1 });

/** One statistical test as it is shown (verdict/evidence: TestResult). */
const TestShown = Type.Object({
  id: literals(testIds),
  name: Text,
  nullHypothesis: Text,
  statistic: Type.Number(),
  degreesOfFreedom: Type.Number(),
  p: Type.Number(),
  rankP: Type.Number(),
  cells: Type.Optional(
    Type.Object({
      kind: literals(cellKinds),
      count: Count,
      worst: Count,
      outputs: Type.Optional(Count),
    }),
  ),
});

const Fit = Type.Object({ train: Type.Number(), test: Type.Number() });
const TrainTestShown = Type.Object({ shipped: Fit, retrains: Type.Array(Fit) });

const FileDigests = Type.Object({ sha256: Sha256, tensorSha256: nullable(Sha256) });

/** The verdict on one model (verdict/evidence: ModelVerdict). */
export const Verdict = Type.Object({
  model: Text,
  rung: literals(rungs),
  sentence: Text,
  k: Count,
  seeds: Type.Array(Type.Integer()),
  shipped: nullable(FileDigests),
  retrains: Type.Array(FileDigests),
  margin: nullable(Type.Number()),
  metric: nullable(
    Type.Object({
      name: Text,
      shipped: Type.Number(),
      retrains: Type.Array(Type.Number()),
      mean: Type.Number(),
      sd: Type.Number(),
    }),
  ),
  tests: Type.Array(TestShown),
  outsideFamily: Type.Optional(Type.Array(TestShown)),
  untested: Type.Optional(Type.Array(Text)),
  familyP: nullable(Type.Number()),
  alpha: nullable(Type.Number()),
  churnRatio: nullable(Type.Number()),
  bounds: Type.Array(
    Type.Object({ name: Text, upper: Type.Number(), limit: Type.Number(), holds: Type.Boolean() }),
  ),
  loneInputs: Type.Optional(
    Type.Array(
      Type.Object({
        set: literals(evidenceSets),
        rows: Count,
        count: Count,
        mostOfRetrain: Count,
        mostSaid: nullable(Type.Object({ class: Count, count: Count })),
        listed: Type.Array(Type.Object({ row: Count, retrains: Count, shipped: Count })),
      }),
    ),
  ),
  contradictions: Type.Optional(
    Type.Object({
      rows: Count,
      count: Count,
      mostOfRetrain: Count,
      p: nullable(Fraction),
      listed: Type.Array(Type.Object({ row: Count, declared: Count, shipped: Count })),
    }),
  ),
  gap: Type.Optional(
    Type.Object({
      loss: TrainTestShown,
      accuracy: nullable(TrainTestShown),
      showsOtherData: Type.Boolean(),
    }),
  ),
  confirmation: Type.Optional(
    Type.Object({
      seeds: Type.Array(Type.Integer()),
      tests: Type.Array(TestShown),
      familyP: nullable(Type.Number()),
      alpha: Type.Number(),
      confirmed: nullable(Type.Boolean()),
    }),
  ),
  alarms: Type.Array(
    Type.Object({
      name: literals(alarmNames),
      detail: Text,
      class: Type.Optional(Count),
      pictureSha256: Type.Optional(Sha256),
    }),
  ),
  limits: Type.Array(Text),
  taints: Type.Array(Text),
  reasons: Type.Array(Text),
  moreRuns: Count,
});
export type Verdict = Static<typeof Verdict>;
