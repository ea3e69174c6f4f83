// How often made-up honest models are called what: the sequential design as a whole, over models drawn from one population, with all
// thirteen tests. The rates on trained models are measured by bench/calibrate (docs/reference/error-rates.md).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SampleTraits, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import type { ModelVerdict } from './evidence.ts';

const verdictsOf = (draws: number, traits: SampleTraits, retrains = 20): ModelVerdict[] =>
  Array.from({ length: draws }, (_, draw) =>
    judgeModel({
      model: sampleModel(),
      reference: sampleFile(`shipped ${draw}`, traits),
      runs: sampleRuns(`retrains ${draw}`, retrains),
    }),
  );

const count = (verdicts: readonly ModelVerdict[], of: (verdict: ModelVerdict) => boolean): number =>
  verdicts.filter(of).length;

test('of 200 honest models at most 3 % look different, none is confirmed, at least 92 % are equivalent', (t) => {
  const verdicts = verdictsOf(200, {});
  const looked = count(verdicts, ({ confirmation }) => confirmation !== undefined);
  const different = count(verdicts, ({ rung }) => rung === 'different');
  const equivalent = count(verdicts, ({ rung }) => rung === 'statistically-equivalent');
  const told = `${looked} looked different, ${different} confirmed, ${equivalent} equivalent of ${verdicts.length}`;
  t.diagnostic(told);
  assert.ok(looked <= 6 && different === 0 && equivalent >= 184, told);
  assert.ok(verdicts.every(({ tests, untested }) => tests.length === 13 && untested?.length === 0));
});

test('of 30 models each with a small trigger, other data, three times the scatter on noise all are different', () => {
  const oddities: [SampleTraits, (verdict: ModelVerdict) => boolean][] = [
    [{ masks: { 3: 0.2 } }, ({ alarms }) => alarms.some((a) => a.name === 'trigger-like' && a.class === 3)],
    [{ memory: 0 }, ({ gap }) => gap!.loss.shipped.test < gap!.loss.shipped.train + 0.1],
    [{ scatter: { noise: 3 } }, ({ churnRatio }) => churnRatio! < 1.5],
  ];
  for (const [traits, shows] of oddities) {
    const verdicts = verdictsOf(30, traits);
    const told = `${JSON.stringify(traits)}: ${verdicts.map(({ rung }) => rung).join(' ')}`;
    assert.equal(
      count(verdicts, ({ rung }) => rung === 'different'),
      30,
      told,
    );
    assert.equal(count(verdicts, shows), 30, told);
  }
});
