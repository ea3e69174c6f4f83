import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleDependence, sampleModel, sampleRuns } from '../../samples/judged.ts';
import {
  type Departure,
  declaredSeed,
  distancesOf,
  sampleReruns,
  type WeightedFile,
  weightedFile,
} from '../../samples/lineage.ts';
import { judgeModel } from '../../samples/published.ts';
import type { Lineage } from './evidence.ts';
import { explainVerdict } from './explanation.ts';
import type { JudgedRun } from './judged.ts';
import { decideLineage, isUnsettled, lineageOf } from './lineage.ts';
import { alignTensors, pairAt } from './weight-distances.ts';

const model = sampleModel({ seed: declaredSeed });
const eight = sampleReruns(8);
const reruns = eight.slice(0, 4);
const runs = reruns.map(({ run }) => run);

const lineage = (shipped: WeightedFile, of = reruns): Lineage =>
  lineageOf(
    model,
    shipped.file,
    of.map(({ run }) => run),
    distancesOf([shipped, ...of]),
  );
const departed = (departure: Departure, name = 'shipped') => lineage(weightedFile(name, departure));
const figures = ({ axes, maxRho, cosine, baseDistance, outcome }: Lineage) => ({
  rhos: axes.map(({ rho }) => rho),
  maxRho,
  cosine,
  baseDistance,
  outcome,
});

test('a file of the same run lies among its reruns on all five axes', () => {
  const found = departed({});
  assert.equal(found.outcome, 'same-run', found.why);
  assert.deepEqual(
    found.axes.map(({ axis }) => axis),
    ['weights', 'worst tensor', 'test', 'noise', 'patch'],
  );
  assert.ok(found.maxRho! <= 2 && found.cosine! > 0.95 && found.baseDistance! < 0.25);
  assert.deepEqual(found.tensors.map(({ name }) => name).sort(), ['bias', 'gain', 'kernel']);
});

test('an edit is seen on the axis that it moves, while the others stay', () => {
  const moved = departed({ bias: 2 });
  assert.equal(moved.outcome, 'edited');
  assert.equal(moved.tensors[0]!.name, 'bias');
  assert.match(moved.why, /by tensor “bias” it lies \d/);
  const behaves = departed({ scatter: 6 });
  assert.equal(behaves.outcome, 'edited');
  assert.match(behaves.why, /by noise probes/);
  assert.ok(behaves.axes[0]!.rho < 2);
});

test('another run of the same recipe points elsewhere', () => {
  const found = lineage(weightedFile('shipped', {}, 'another run'));
  assert.equal(found.outcome, 'elsewhere');
  assert.ok(Math.abs(found.cosine!) < 0.3);
});

test('property: order of reruns and common factor of all weights change nothing', () => {
  const shipped = weightedFile('shipped', { bias: 0.4 });
  const expected = figures(lineage(shipped));
  fc.assert(
    fc.property(fc.shuffledSubarray(reruns, { minLength: 4 }), (shuffled) => {
      const found = figures(lineage(shipped, shuffled));
      for (const [i, rho] of found.rhos.entries()) assert.ok(Math.abs(rho - expected.rhos[i]!) < 1e-12);
      assert.equal(found.outcome, expected.outcome);
    }),
    { numRuns: 24 },
  );
  const scaled = (made: WeightedFile): WeightedFile => ({
    ...made,
    weights: made.weights.map((values) => values.map((value) => value * 1024)),
  });
  const [scaledShipped, ...scaledReruns] = [shipped, ...reruns].map(scaled);
  const found = lineageOf(model, shipped.file, runs, distancesOf([scaledShipped!, ...scaledReruns]));
  assert.deepEqual(figures(found), expected);
});

test('property: the farther an edit goes, the larger the largest ratio', () => {
  const rhos = [0, 0.2, 0.5, 1, 3].map((bias) => departed({ bias }).maxRho!);
  for (const [i, rho] of rhos.entries()) assert.ok(i === 0 || rho >= rhos[i - 1]!, rhos.join(' '));
});

test('fewer than three reruns that differ say nothing, however many there are', () => {
  const shipped = weightedFile('shipped');
  assert.equal(lineage(shipped, reruns.slice(0, 2)).outcome, 'void');
  assert.equal(lineage(shipped, reruns.slice(0, 3)).outcome, 'same-run');
  // A recipe that ignores RETRAIN_NUMERICS: reruns agree bit by bit, and any other file would lie infinitely far.
  const same = reruns.map(({ run }, numerics) => ({
    ...reruns[0]!,
    run: { ...reruns[0]!.run, numerics: run.numerics ?? numerics },
  }));
  const found = lineageOf(
    model,
    shipped.file,
    same.map(({ run }) => run),
    distancesOf([shipped, reruns[0]!]),
  );
  assert.equal(found.outcome, 'void');
  assert.match(found.why, /agree bit by bit/);
  assert.deepEqual([found.axes, found.maxRho], [[], null]);
});

test('the rule at its bounds', () => {
  const rule = (rho: number, cosine = 0.99, baseDistance = 0.15) =>
    decideLineage({ axes: [{ axis: 'test', shipped: rho, among: 1, rho }], cosine, baseDistance }).outcome;
  const table: [Parameters<typeof rule>, Lineage['outcome']][] = [
    [[1.71], 'same-run'],
    [[2], 'same-run'],
    [[2.01], 'between'],
    [[2.45], 'between'],
    [[3], 'between'],
    [[3.01], 'edited'],
    [[47, 0.51], 'edited'],
    [[1, 0.8], 'between'],
    [[1, 0.81], 'same-run'],
    [[1, 0.99, 0.5], 'void'],
    [[9, 0.99, 1.4], 'void'],
  ];
  for (const [figures, outcome] of table) assert.equal(rule(...figures), outcome, figures.join(' '));
});

test('weights that are not numbers, not there or of another architecture void the rung', () => {
  const shipped = weightedFile('shipped');
  const broken = { ...shipped, weights: shipped.weights.map((values) => values.map(() => Number.NaN)) };
  assert.match(lineage(broken).why, /not all finite/);
  assert.match(lineageOf(model, shipped.file, runs, undefined).why, /were not kept/);
  const other = lineageOf(model, shipped.file, runs, { why: 'a retrain has no tensor “kernel”' });
  assert.deepEqual([other.outcome, other.cosine], ['void', null]);
  const outputs = { ...weightedFile('shipped').file };
  outputs.evidence.sets.noise = { ...outputs.evidence.sets.noise!, columns: 7 };
  assert.equal(lineageOf(model, outputs, runs, distancesOf([shipped, ...reruns])).outcome, 'void');
});

test('tensors are paired by name; other names and shapes are told', () => {
  const ref = (...tensors: [string, number[]][]) => ({
    sha256: '0'.repeat(64),
    tensors: tensors.map(([name, shape]) => ({ name, shape })),
  });
  const aligned = alignTensors([ref(['a', [2, 3]], ['b', []]), ref(['b', []], ['a', [2, 3]])]);
  assert.deepEqual('spans' in aligned && aligned.spans.map(({ name, starts }) => [name, starts]), [
    ['a', [0, 1]],
    ['b', [6, 0]],
  ]);
  const why = (...refs: Parameters<typeof alignTensors>[0]) => {
    const found = alignTensors(refs);
    return 'why' in found ? found.why : '';
  };
  assert.match(why(ref(['a', [2]]), ref(['a', [3]])), /“a” is 2, in a retrain 3/);
  assert.match(why(ref(['a', [2]]), ref(['c', [2]])), /no tensor “a”/);
  assert.match(why(ref(['a', [2]]), ref(['a', [2]], ['c', [2]])), /shipped file has no tensor “c”/);
  assert.match(why(ref(['a', [2]], ['a', [2]])), /two tensors are named “a”/);
  assert.match(why(ref()), /no float tensors/);
  const pairs = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].flatMap((j) => (i < j ? [pairAt(i, j, 4)] : [])));
  assert.deepEqual(pairs, [0, 1, 2, 3, 4, 5]);
});

const judge = (shipped: WeightedFile, all: readonly JudgedRun[], changes = {}) =>
  judgeModel({
    model: { ...model, ...changes },
    reference: shipped.file,
    runs: all,
    weights: distancesOf([shipped, ...eight.filter(({ run }) => all.includes(run))]),
  });
const retrains = sampleRuns('retrains', 5);

test('the ladder spends in order: the declared seed, other arithmetic, a dependence run', () => {
  const shipped = weightedFile('shipped');
  const first = judge(shipped, retrains.slice(0, 1));
  assert.deepEqual([first.rung, first.asks?.map(({ numerics }) => numerics)], ['inconclusive', [0]]);
  const near = judge(shipped, [retrains[0]!, runs[0]!]);
  assert.deepEqual(
    near.asks?.map(({ numerics }) => numerics),
    [1, 2, 3],
  );
  assert.match(near.sentence, /near in weights/);
  const all = [retrains[0]!, ...runs];
  const waits = judge(shipped, all);
  assert.deepEqual([waits.rung, waits.asks?.[0]?.purpose], ['inconclusive', 'dependence']);
  const verdict = judge(shipped, [...all, sampleDependence(runs[0]!)]);
  assert.deepEqual([verdict.rung, verdict.k, verdict.moreRuns], ['same-run', 4, 0]);
  assert.equal(verdict.lineage!.outcome, 'same-run');
  const lines = explainVerdict(verdict).join('\n');
  assert.match(lines, /^Lineage of seed 77, run with numerics 0, 1, 2, 3: same-run: /m);
  assert.match(lines, /^Lineage: noise probes: .* to the reruns, .* among them, ratio \d\.\d\d\.$/m);
  assert.match(lines, /^Dependence on the data: depends: without 800 of 8000 records/m);
  assert.match(
    explainVerdict(waits).join('\n'),
    /^Wanted: a run with declared seed 77, a tenth of the records/m,
  );
  assert.match(verdict.sentence, /is the declared run within the measured noise of its arithmetic/);
  const hidden = { ...sampleDependence(runs[0]!), evidence: runs[0]!.evidence };
  const independent = judge(shipped, [...all, hidden]);
  assert.deepEqual([independent.rung, independent.taints], ['not-verifiable', ['independent-of-data']]);
});

test('an edited lineage is different, with its alarm; far weights spare the other reruns', () => {
  const edited = judge(weightedFile('shipped', { bias: 2 }), [retrains[0]!, ...runs]);
  assert.deepEqual([edited.rung, edited.moreRuns], ['different', 0]);
  assert.deepEqual(
    edited.alarms.map(({ name }) => name),
    ['edited-lineage'],
  );
  assert.match(
    edited.sentence,
    /shipped and declared pipeline disagree: the weights are those of the declared run, edited/,
  );
  const far = judge(weightedFile('shipped', {}, 'another run'), [retrains[0]!, runs[0]!]);
  assert.deepEqual([far.rung, far.k, far.moreRuns, far.asks], ['inconclusive', 1, 2, undefined]);
  assert.equal(far.lineage!.outcome, 'elsewhere');
  assert.match(far.reasons[0]!, /^Lineage does not decide: the shipped weights point elsewhere/);
});

/** A moved bias whose largest rho against `of` lies in the range. */
const standing = (of: typeof reruns, low: number, high: number): WeightedFile => {
  const biases = Array.from({ length: 60 }, (_, i) => 0.1 + 0.02 * i);
  const bias = biases.find((value) => {
    const rho = lineage(weightedFile('shipped', { bias: value }), of).maxRho!;
    return rho > low && rho <= high;
  });
  assert.ok(bias !== undefined);
  return weightedFile('shipped', { bias });
};

test('four reruns settle what is clear; near the limits four more are asked for', () => {
  for (const [rho, outcome, unsettled] of [
    [2, 'same-run', false],
    [2.1, 'between', true],
    [3.1, 'edited', true],
    [6, 'edited', true],
    [6.1, 'edited', false],
    [9, 'void', false],
  ] as const) {
    assert.equal(isUnsettled({ outcome, maxRho: rho }), unsettled, `${outcome} ${rho}`);
  }
  for (const shipped of [standing(reruns, 2, 3), standing(reruns, 3, 6)]) {
    const waits = judge(shipped, [retrains[0]!, ...runs]);
    assert.deepEqual(
      [waits.rung, waits.alarms, waits.asks?.map(({ numerics }) => numerics)],
      ['inconclusive', [], [4, 5, 6, 7]],
    );
    assert.match(waits.sentence, /near the limits of 4 reruns/);
  }
  const further = eight.map(({ run }) => run);
  const edited = judge(standing(eight, 3, 6), [retrains[0]!, ...further]);
  assert.deepEqual([edited.rung, edited.k, edited.moreRuns], ['different', 8, 0]);
});

test('between 2 and 3 of eight reruns statistics go on, and a numerical recipe stays inconclusive', () => {
  const further = eight.map(({ run }) => run);
  const shipped = standing(eight, 2, 3);
  const verdict = judge(shipped, [...retrains, ...further]);
  assert.equal(verdict.lineage!.outcome, 'between');
  assert.ok(verdict.alpha !== null && verdict.k === 5);
  const numerical = judge(shipped, [retrains[0]!, ...further], { comparison: 'numerical', margin: null });
  assert.deepEqual([numerical.rung, numerical.moreRuns, numerical.alpha], ['inconclusive', 0, null]);
  assert.match(numerical.sentence, /above 2, but not above 3/);
});

test('equal bytes under the declared seed are bit-identical, after a dependence run', () => {
  const twin = { file: runs[0]!, weights: reruns[0]!.weights };
  const verdict = judge(twin, [retrains[0]!, runs[0]!, sampleDependence(runs[0]!)]);
  assert.deepEqual([verdict.rung, verdict.lineage], ['bit-identical', undefined]);
  assert.match(verdict.sentence, /seed 77/);
});

test('reruns that cannot be made leave what the others say', () => {
  const shipped = weightedFile('shipped');
  const some = [retrains[0]!, runs[0]!, runs[1]!, runs[3]!];
  const place = { purpose: 'rerun' as const, seedIndex: 0, declaredSeed, numerics: 2, repeat: 0 };
  const weights = distancesOf([shipped, reruns[0]!, reruns[1]!, reruns[3]!]);
  const input = { model, reference: shipped.file, runs: [...some, sampleDependence(runs[0]!)], weights };
  assert.deepEqual(judgeModel(input).asks, [place]);
  const verdict = judgeModel({ ...input, unmade: [{ ...place, why: 'no such library' }] });
  assert.deepEqual([verdict.rung, verdict.k], ['same-run', 3]);
});

test('property: the order in which runs arrive changes no verdict', () => {
  const shipped = weightedFile('shipped');
  const all = [...retrains, ...runs, sampleDependence(runs[0]!)];
  const expected = judge(shipped, all);
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
      assert.deepEqual(judge(shipped, shuffled), expected);
    }),
    { numRuns: 15 },
  );
});
