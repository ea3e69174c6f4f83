import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sizeAt, sizesOf } from '../../samples/uniformity.ts';
import { cellMeans } from './cell-means.ts';
import { moderatedCells } from './moderated-cells.ts';
import { predictiveT } from './predictive-t.ts';
import { ProbeStream } from './probe-stream.ts';

/** A population of models: each call is one model's cells. */
type Population = (stream: ProbeStream, cells: number) => () => number[];

const spreads = (stream: ProbeStream, cells: number): number[] =>
  Array.from({ length: cells }, () => Math.exp(0.7 * stream.normal()));

const populations: Record<string, Population> = {
  'cells of one spread': (stream, cells) => () => Array.from({ length: cells }, () => stream.normal()),
  'cells of own spreads': (stream, cells) => {
    const sds = spreads(stream, cells);
    return () => sds.map((sd) => sd * stream.normal());
  },
  'correlated cells': (stream, cells) => {
    const sds = spreads(stream, cells);
    return () => {
      const common = 0.8 * stream.normal();
      return sds.map((sd) => sd * (common + 0.6 * stream.normal()));
    };
  },
  'log odds of classes': (stream, cells) => {
    const logits = Array.from({ length: cells }, () => 2 * stream.normal());
    return () => {
      const powers = logits.map((logit) => Math.exp(logit + 0.5 * stream.normal()));
      const sum = powers.reduce((a, b) => a + b, 0);
      return cellMeans(
        'classification',
        Float32Array.from(powers, (power) => power / sum),
        cells,
      );
    };
  },
};

test('size: at most 3 % at 1 % and 9 % at 5 %, whatever the cells', (t) => {
  for (const [name, population] of Object.entries(populations)) {
    for (const cells of [2, 5, 10, 20]) {
      for (const k of [3, 5, 10]) {
        const stream = new ProbeStream('cells', `${name}/${cells}/${k}`);
        const ps = Array.from({ length: 1_000 }, () => {
          const model = population(stream, cells);
          return moderatedCells(model(), Array.from({ length: k }, model))!.p;
        });
        const told = `${name}, ${cells} of them, k = ${k}: ${sizesOf(ps)}`;
        t.diagnostic(told);
        assert.ok(sizeAt(ps, 0.01) <= 0.03 && sizeAt(ps, 0.05) <= 0.09, told);
        if (name === 'cells of own spreads') assert.ok(sizeAt(ps, 0.05) >= 0.025, told);
      }
    }
  }
});

test('one cell has no one to borrow from: the predictive t itself', () => {
  const cells = moderatedCells([5], [[1], [2], [3]])!;
  const alone = predictiveT(5, [1, 2, 3])!;
  assert.deepEqual(
    [cells.statistic, cells.degreesOfFreedom, cells.p],
    [alone.statistic, alone.degreesOfFreedom, alone.p],
  );
});

test('cells of equal spread lend 4 degrees at 17 cells, 2.25 at 10: power that k = 3 alone has not', () => {
  const stream = new ProbeStream('cells', 'power');
  const draw = (cells: number): number[] => Array.from({ length: cells }, () => stream.normal());
  const retrains = (cells: number): number[][] => [draw(cells), draw(cells), draw(cells)];
  const found = Array.from({ length: 300 }, () => {
    const shipped = draw(17);
    shipped[6]! += 12;
    const result = moderatedCells(shipped, retrains(17))!;
    const alone = predictiveT(shipped[6]!, retrains(1).flat())!;
    return { result, alone: 17 * alone.p };
  });
  const moderated = found.filter(({ result }) => result.p < 0.01 && result.cell === 6).length;
  const unaided = found.filter(({ alone }) => alone < 0.01).length;
  assert.ok(moderated > 200 && unaided < 30, `${moderated} moderated, ${unaided} alone`);
  assert.ok(found.every(({ result }) => result.degreesOfFreedom <= 6));
  assert.ok(moderatedCells(draw(10), retrains(10))!.degreesOfFreedom <= 4.25);
});

test('property: moving one cell outward from where it already stands out most never raises p', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 12 }), (name, cells) => {
      const stream = new ProbeStream('cells outward', `${name}`);
      const draw = (): number[] => Array.from({ length: cells }, () => stream.normal());
      const retrains = [draw(), draw(), draw(), draw(), draw()];
      const shipped = draw();
      let { p, cell, statistic } = moderatedCells(shipped, retrains)!;
      for (let step = 0; step < 10; step += 1) {
        shipped[cell]! += Math.sign(statistic) * 0.5;
        const next = moderatedCells(shipped, retrains)!;
        assert.equal(next.cell, cell);
        assert.ok(next.p <= p, `${next.p} after ${p}`);
        p = next.p;
      }
    }),
  );
});

test('property: the unit, the order of cells and the order of retrains do not matter', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      (name, unit) => {
        const stream = new ProbeStream('cells unit', `${name}`);
        const files = Array.from({ length: 6 }, () => Array.from({ length: 5 }, () => stream.normal()));
        const [shipped, ...retrains] = files as [number[], ...number[][]];
        const result = moderatedCells(shipped, retrains)!;
        const scaled = files.map((cells) => cells.map((x) => x * unit).reverse());
        const other = moderatedCells(scaled[0]!, scaled.slice(1).reverse())!;
        assert.equal(other.cell, 4 - result.cell);
        assert.equal(other.rankP, result.rankP);
        assert.ok(Math.abs(other.p - result.p) <= 1e-6 * result.p, `${other.p} ${result.p}`);
      },
    ),
  );
});

test('the floor: 1 % of scatter is the least that is believed', () => {
  const retrains = [0, 1, 2].map((i) => [i * 1e-6, 1 - i * 1e-6]);
  assert.ok(moderatedCells([0.01, 1], retrains)!.p < 1e-4);
  assert.ok(moderatedCells([0.01, 1], retrains, { sdFloor: 0.01 })!.p > 0.5);
});

test('a constant cell among others does not damn the smallest change, nor break the prior', () => {
  const retrains = [
    [1, 2, 3, 0],
    [2, 1, 5, 0],
    [3, 4, 4, 0],
  ];
  assert.ok(moderatedCells([2, 2, 4, 1e-4], retrains)!.p > 0.05);
});

test('not defined: one retrain, no cells, NaN, infinity, no spread in half of the cells', () => {
  assert.equal(moderatedCells([1], [[2]]), null);
  assert.equal(moderatedCells([], [[], []]), null);
  assert.equal(
    moderatedCells(
      [1, Number.NaN],
      [
        [1, 2],
        [2, 3],
      ],
    ),
    null,
  );
  assert.equal(
    moderatedCells(
      [1, 2],
      [
        [1, Number.POSITIVE_INFINITY],
        [2, 3],
      ],
    ),
    null,
  );
  assert.equal(
    moderatedCells(
      [1, 2],
      [
        [1, 1],
        [1, 2],
        [1, 3],
      ],
    ),
    null,
  );
});

test('with a floor, cells in which all retrains agree are tested too, and no spread at all is none', () => {
  const retrains = [
    [1, 1, 5],
    [1, 1, 6],
    [1, 1, 7],
  ];
  assert.equal(moderatedCells([4, 1, 6], retrains), null);
  const found = moderatedCells([4, 1, 6], retrains, { sdFloor: 0.01 })!;
  assert.deepEqual([found.cell, found.p < 0.001], [0, true]);
  const equal = [
    [1, 2],
    [1, 2],
    [1, 2],
  ];
  assert.equal(moderatedCells([4, 1], equal, { sdFloor: 0.01 }), null);
});

test('the lower side: a small cell is found, a large one is not', () => {
  const stream = new ProbeStream('cells', 'lower');
  const draw = (): number[] => Array.from({ length: 10 }, () => stream.normal());
  const retrains = [draw(), draw(), draw(), draw(), draw()];
  const shipped = draw();
  shipped[4] = -30;
  shipped[5] = 60;
  const lower = moderatedCells(shipped, retrains, { side: 'lower' })!;
  assert.deepEqual([lower.cell, lower.p < 0.001, lower.rankP], [4, true, 1 / 6]);
  shipped[4] = 0;
  assert.ok(moderatedCells(shipped, retrains, { side: 'lower' })!.p > 0.05);
  assert.equal(moderatedCells(shipped, retrains)!.cell, 5);
});

test('a million cells are weighed, not spread over a stack', () => {
  const cells = 1_000_000;
  const ramp = (step: number): number[] => Array.from({ length: cells }, (_, i) => Math.sin(i * step));
  const shipped = ramp(0.7);
  shipped[777] = 1e6;
  const result = moderatedCells(shipped, [ramp(0.1), ramp(0.3), ramp(0.5)])!;
  assert.equal(result.cell, 777);
  assert.ok(result.p < 0.01);
});
