// The published schema: whatever judgeModel says, of good evidence and bad, fits it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf, sampleDependence, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { assertPublished, judgeModel } from '../../samples/published.ts';
import { comparisons, type RecipeModel, tasks } from '../recipe/recipe.ts';
import type { Evidence, TriggerSearch } from '../verdict/evidence.ts';
import type { JudgedFile } from '../verdict/judged.ts';
import { verdictSchema } from './verdict-schema.ts';

const registered = { recipeSha256: digestOf('recipe'), at: '2026-11-22T09:00:00.000Z', by: 'farm' } as const;

const numbers = fc.oneof(
  fc.double({ min: -2, max: 2 }),
  fc.constantFrom(0, 1, 1e300, -1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);

/** What a recipe's parser lets through as margin and claim. */
const declared = fc.oneof(
  fc.constantFrom(null, 0.015, 0, -0.01, 1e300),
  fc.double({ min: -2, max: 2, noNaN: true }),
);

/** Triggers of `classes` classes, or a search that was not made. */
const searches = (classes: number): fc.Arbitrary<TriggerSearch> =>
  fc.oneof(
    fc.constant({ ran: false as const, why: 'dNC not run: operator Einsum' }),
    fc
      .array(fc.double({ min: 0, max: 784, noNaN: true }), { minLength: classes, maxLength: classes })
      .map((masks) => ({
        ran: true as const,
        classes: masks.map((maskL1, label) => ({
          class: label,
          maskL1,
          reached: 0.9,
          pictureSha256: label === 0 ? digestOf('picture') : null,
        })),
      })),
  );

/** What may be wrong with one file. */
const damages = fc.oneof(
  fc.constant((_: JudgedFile) => {}),
  fc
    .tuple(fc.constantFrom('test', 'noise', 'patch'), fc.nat(199), numbers)
    .map(([set, at, value]) => ({ predictions }: JudgedFile) => {
      predictions[set as 'test']![at] = value;
    }),
  fc.tuple(numbers, numbers).map(([value, logLoss]) => ({ evidence }: JudgedFile) => {
    evidence.metric = { name: 'accuracy', value };
    evidence.logLoss = logLoss;
  }),
  fc.constant(({ predictions }: JudgedFile) => {
    for (const values of Object.values(predictions)) values?.fill(0.2);
  }),
  fc.constant(({ evidence }: JudgedFile) => {
    evidence.metric = null;
    evidence.logLoss = null;
  }),
  fc.constant(({ evidence }: JudgedFile) => {
    evidence.faults.push('cannot be opened');
  }),
);

const models: fc.Arbitrary<RecipeModel> = fc
  .record({
    comparison: fc.constantFrom(...comparisons),
    task: fc.constantFrom(...tasks),
    margin: declared,
    claimedMetric: declared,
    readsShipped: fc.boolean(),
    securityCritical: fc.boolean(),
    runs: fc.constantFrom({ min: 3, max: 10 }, { min: 3, max: 3 }, { min: 5, max: 10 }),
  })
  .map(sampleModel);

test('the schema names itself, its dialect and its version', () => {
  const schema = verdictSchema();
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.match(String(schema.$id), /^https:\/\/.*\/verdict\/v1\.json$/);
  assert.match(String(schema.version), /^1\.\d+$/);
  const { required, properties } = schema as { required: string[]; properties: Record<string, object> };
  for (const name of [
    'margin',
    'registered',
    'k',
    'seeds',
    'tests',
    'familyP',
    'alpha',
    'alarms',
    'limits',
    'shipped',
    'retrains',
  ]) {
    assert.ok(required.includes(name), `${name} is in every verdict`);
  }
  for (const [name, field] of Object.entries(properties)) {
    assert.ok('description' in field, `${name} is described`);
  }
});

test('a verdict with a field that is missing, odd or unknown does not fit', () => {
  const verdict = judgeModel({ model: sampleModel(), reference: null, runs: [], registered });
  assert.deepEqual(verdict.registered, registered);
  const { registered: _, ...without } = verdict;
  for (const bad of [
    without,
    { ...verdict, rung: 'fine' },
    { ...verdict, familyP: 1.5 },
    { ...verdict, registered: { ...registered, at: 'yesterday' } },
    { ...verdict, churnRatio: Number.NEGATIVE_INFINITY, k: Number.NaN },
    { ...verdict, unheardOf: 1 },
  ]) {
    assert.throws(() => assertPublished(bad), { code: 'ERR_ASSERTION' });
  }
});

test('whatever is judged, the verdict fits the published schema', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      models,
      fc.integer({ min: 0, max: 11 }),
      fc.constantFrom('shipped', 'retrains run 1', 'odd', 'none'),
      damages,
      fc.tuple(fc.nat(10), damages),
      fc.option(searches(5)),
      fc.option(searches(5)),
      fc.boolean(),
      (model, k, shipped, damage, [which, other], mine, theirs, isChecked) => {
        const runs = sampleRuns('retrains', k);
        const traits = shipped === 'odd' ? { scatter: { noise: 3 } } : {};
        const reference = shipped === 'none' ? null : sampleFile(shipped, traits);
        const files: [JudgedFile | null | undefined, (file: JudgedFile) => void][] = [
          [reference, damage],
          [runs[which], other],
        ];
        for (const [file, spoil] of files) if (file) spoil(file);
        const search = (evidence: Evidence | undefined, triggers: TriggerSearch | null): void => {
          if (evidence && triggers) evidence.triggers = triggers;
        };
        search(reference?.evidence, mine);
        for (const { evidence } of runs) search(evidence, theirs);
        const all = isChecked && runs[0] ? [...runs, sampleDependence(runs[0])] : runs;
        const verdict = judgeModel({ model, reference, runs: all, registered });
        seen.add(verdict.rung);
      },
    ),
    { numRuns: 300, seed: 7 },
  );
  // Equivalence needs evidence without a fault, and a difference ten fresh retrains: words.test.ts holds both against the schema.
  for (const rung of ['bit-identical', 'inconclusive', 'not-verifiable']) {
    assert.ok(seen.has(rung), rung);
  }
});
