// The verdict on one model as JSON (verdict/evidence: ModelVerdict). The published schema (verdict-schema.ts) and the table in
// docs/reference/verdict.md are made from this: every field of the verdict has its description here and nowhere else.
import { type Static, type TSchema, Type } from 'typebox';
import {
  alarmNames,
  cellKinds,
  evidenceSets,
  lineageAxes,
  registrars,
  rungs,
  testIds,
} from '../verdict/evidence.ts';
import { literals, RunPlaceSchema, Sha256, WithheldRecordsSchema } from './messages.ts';
import { Count, Fraction, nullable, Text, Time } from './shapes.ts';

const told = <T extends TSchema>(description: string, schema: T): T => ({ ...schema, description });
const optional = <T extends TSchema>(description: string, schema: T) =>
  Type.Optional(told(description, schema));

/** One statistical test as it is shown (verdict/evidence: TestResult). */
const TestShown = Type.Object({
  id: literals(testIds),
  name: Text,
  nullHypothesis: Text,
  statistic: Type.Number(),
  degreesOfFreedom: Type.Number(),
  p: Fraction,
  rankP: Fraction,
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

const TriggersShown = Type.Union([
  Type.Object({
    ran: Type.Literal(true),
    classes: Type.Array(
      Type.Object({
        class: Count,
        maskL1: Type.Number({ minimum: 0 }),
        reached: Fraction,
        pictureSha256: nullable(Sha256),
        retrains: Type.Array(Type.Number({ minimum: 0 })),
      }),
    ),
  }),
  Type.Object({ ran: Type.Literal(false), why: Text }),
]);

const distances = { shipped: Type.Number(), among: Type.Number(), rho: Type.Number() };

/** verdict/evidence: Lineage. */
const LineageShown = Type.Object({
  outcome: literals(['same-run', 'edited', 'between', 'elsewhere', 'void'] as const),
  why: Text,
  seed: Count,
  reruns: Type.Array(Type.Object({ numerics: Count, sha256: Sha256 })),
  axes: Type.Array(Type.Object({ axis: literals(lineageAxes), ...distances })),
  maxRho: nullable(Type.Number()),
  baseDistance: nullable(Type.Number()),
  cosine: nullable(Type.Number()),
  tensors: Type.Array(Type.Object({ name: Text, shape: Type.Array(Count), ...distances })),
  tensorCount: Count,
});

/** verdict/evidence: Dependence. */
const DependenceShown = Type.Object({
  outcome: literals(['depends', 'independent', 'unchecked'] as const),
  why: Text,
  withheld: Type.Array(WithheldRecordsSchema),
  sha256: nullable(Sha256),
});

/** The verdict on one model (verdict/evidence: ModelVerdict). */
export const Verdict = Type.Object({
  model: told('name of the model stanza', Text),
  rung: told(`what is claimed: ${rungs.map((rung) => `\`${rung}\``).join(', ')}`, literals(rungs)),
  sentence: told('one sentence for people, numbers in it', Text),
  k: told('retrains that were weighed', Count),
  seeds: told('seed of each weighed retrain, in the order of the seeds', Type.Array(Type.Integer())),
  shipped: told(
    '`sha256` of the shipped file and `tensorSha256` over its tensors (of ONNX its graph too; null where the format is not ONNX, safetensors or gnubg’s); null where no file was found',
    nullable(FileDigests),
  ),
  retrains: told('the same of each weighed retrain', Type.Array(FileDigests)),
  registered: told(
    'when and in what text margin, metric, looks and slices were fixed: `recipeSha256` of debian/retrain/control, `at`, and who noted the time (`by`): the `farm`’s api, or the program of a `local` run. No weighed retrain began training before; null only where evidence is judged without a job, as benches do',
    nullable(Type.Object({ recipeSha256: Sha256, at: Time, by: literals(registrars) })),
  ),
  margin: told(
    'as registered in the recipe, in units of the metric; null where it declares none',
    nullable(Type.Number()),
  ),
  metric: told(
    '`name`, `shipped`, `retrains`, their `mean` and `sd`; null with fewer than two retrains',
    nullable(
      Type.Object({
        name: Text,
        shipped: Type.Number(),
        retrains: Type.Array(Type.Number()),
        mean: Type.Number(),
        sd: Type.Number({ minimum: 0 }),
      }),
    ),
  ),
  lineage: optional(
    'where the recipe declares a `seed`: how far the shipped file lies from its `reruns` in other arithmetic (`shipped`), how far these lie from each other (`among`), and the ratio of both (`rho`), on five `axes` and for each of the `tensors` (the 50 with the largest, of `tensorCount`); `baseDistance`: relative distance of all weights among the reruns; `cosine` of the shipped weights to theirs; `outcome`, and `why`',
    LineageShown,
  ),
  dependence: optional(
    'where equal bytes or lineage would announce a verdict: what the run on data without a tenth of its records said (`outcome`, `why`), which files were shortened by how many `withheld` of their `records`, and the `sha256` of what it made',
    DependenceShown,
  ),
  tests: told(
    'the family, which decides: `id`, `name`, `nullHypothesis`, `statistic` (a t value), `degreesOfFreedom`, `p`, `rankP` (printed, never deciding); of a test over cells also `cells`: `kind` (`class`, `output`, or `slice`: slice × `outputs` + output), `count`, and `worst`, the one that stands out most, from 0; statistic and degrees of freedom are that one’s, `p` is Bonferroni over all',
    Type.Array(TestShown),
  ),
  outsideFamily: optional(
    'more of the same, shown, outside `familyP`; decides nothing',
    Type.Array(TestShown),
  ),
  untested: optional(
    'tests of the battery that this model has not, and why, one sentence each',
    Type.Array(Text),
  ),
  familyP: told('Bonferroni p over the family; null where no statistics were needed', nullable(Fraction)),
  alpha: told('what `familyP` was held against: the alpha of the look', nullable(Fraction)),
  churnRatio: told(
    'how many times as much the shipped model disagrees with retrains as they do among themselves, on test data',
    nullable(Type.Number({ minimum: 0 })),
  ),
  bounds: told(
    'upper confidence bounds that equivalence needs: `upper`, `limit`, `holds`',
    Type.Array(
      Type.Object({ name: Text, upper: Type.Number(), limit: Type.Number(), holds: Type.Boolean() }),
    ),
  ),
  loneInputs: optional(
    'for classifiers, for each set: `rows`, and in how many (`count`) every retrain gives one class more than 0.9 and the shipped model says another; `mostSaid`: the class that it says in most of them, and in how many; `listed`: the first 20, with `row` from 0 and both classes; `mostOfRetrain`: the largest such count of a retrain against the others. Evidence to look at; decides nothing',
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
  contradictions: optional(
    'for classifiers with a declared training set: in how many of its `rows` (`count`) every retrain is sure of the declared label and the shipped model says another; `mostOfRetrain`, `listed` as above; `p` one-sided',
    Type.Object({
      rows: Count,
      count: Count,
      mostOfRetrain: Count,
      p: nullable(Fraction),
      listed: Type.Array(Type.Object({ row: Count, declared: Count, shipped: Count })),
    }),
  ),
  gap: optional(
    'how much better the models fit their training data than data that they have not seen: mean `loss` (and `accuracy` of classifiers) on both, of the shipped model and of each retrain; `showsOtherData`: whether training on other data of the same kind would be seen by it',
    Type.Object({
      loss: TrainTestShown,
      accuracy: nullable(TrainTestShown),
      showsOtherData: Type.Boolean(),
    }),
  ),
  triggers: optional(
    'for image classifiers: for each class the smallest trigger that sends images to it. `maskL1` of the shipped model in pixels, `reached` the share of images sent, `pictureSha256` its picture (PNG, an artifact), `retrains` the same mask norm of each weighed retrain. Or `ran` false, and `why`',
    TriggersShown,
  ),
  confirmation: optional(
    'where a look said different by statistics alone: the same battery on fresh retrains (`seeds`), `familyP` held against `alpha`; `confirmed` is null while they are wanted',
    Type.Object({
      seeds: Type.Array(Type.Integer()),
      tests: Type.Array(TestShown),
      familyP: nullable(Fraction),
      alpha: Fraction,
      confirmed: nullable(Type.Boolean()),
    }),
  ),
  alarms: told(
    'beside the verdict: `name`, the evidence in words (`detail`), and where it points at one the `class` and the `pictureSha256` of its trigger',
    Type.Array(
      Type.Object({
        name: literals(alarmNames),
        detail: Text,
        class: Type.Optional(Count),
        pictureSha256: Type.Optional(Sha256),
      }),
    ),
  ),
  limits: told('what this verdict cannot exclude, one sentence each', Type.Array(Text)),
  taints: told('of the weighed runs, and `reads-shipped` of the recipe', Type.Array(Text)),
  reasons: told('why this rung, in the order in which it was decided', Type.Array(Text)),
  moreRuns: told(
    'runs that are still wanted, beyond `k` where `asks` names none; 0: the verdict is final',
    Count,
  ),
  asks: optional(
    'the runs that are wanted where they are no fresh retrains: `purpose`, seed of the job or declared seed, RETRAIN_NUMERICS (`numerics`)',
    Type.Array(RunPlaceSchema),
  ),
});
export type Verdict = Static<typeof Verdict>;
