import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solve } from './bear-off.ts';
import type { Side } from './side.ts';

const small = solve(2);
const numberOf = (side: Side): number => small.sides.findIndex((other) => other.join() === side.join());
const on = (...points: number[]): number =>
  numberOf(Array.from({ length: 6 }, (_, at) => points.filter((point) => point === at + 1).length));

test('one chequer on the ace point, on roll, always wins, and by a gammon where the other has borne off none', () => {
  assert.deepEqual([...small.of(on(1), on(1))].map(Math.fround), [1, 0, 0, 0, 0]);
  assert.deepEqual([...small.of(on(1), on(2, 1))].map(Math.fround), [1, 1, 0, 0, 0]);
  assert.deepEqual([...small.of(on(1), on(6, 1))].map(Math.fround), [1, 1, 1, 0, 0]);
});

// The chances of bearing off the last chequers in one roll, in 36ths, as every book on the bear-off prints them.
const inOneRoll: [number[], number][] = [
  [[1], 36],
  [[2], 36],
  [[3], 36],
  [[4], 34],
  [[5], 31],
  [[6], 27],
  [[1, 1], 36],
  [[2, 1], 36],
  [[3, 1], 34],
  [[4, 1], 29],
  [[5, 1], 23],
  [[6, 1], 15],
  [[2, 2], 26],
  [[3, 2], 25],
  [[4, 2], 23],
  [[5, 2], 19],
  [[6, 2], 13],
  [[3, 3], 17],
  [[4, 3], 17],
  [[5, 3], 14],
  [[6, 3], 10],
  [[4, 4], 11],
  [[5, 4], 10],
  [[6, 4], 8],
  [[5, 5], 6],
  [[6, 5], 6],
  [[6, 6], 4],
];

test('against one chequer on the ace point a side wins as often as it is off in one roll', () => {
  for (const [points, ways] of inOneRoll) {
    const [win] = small.of(on(...points), on(1));
    assert.ok(Math.abs(win! - ways / 36) < 1e-12, `${points}: ${win! * 36} of 36, the books say ${ways}`);
  }
});

/**
 * The same game by plain recursion over lists of chequers, sharing no code with the dynamic programme: it plays as many dice as it
 * can, the higher of two where only one can be played, and keeps the move that leaves it most.
 */
const bruteForce = (chequers: number) => {
  const known = new Map<string, number[]>();
  const step = (men: number[], die: number): number[][] =>
    men.flatMap((point, at) => {
      const rest = men.filter((_, other) => other !== at);
      if (point > die) return [[...rest, point - die].sort()];
      return point === die || Math.max(...men) === point ? [rest] : [];
    });
  const sequences = (men: number[], dice: number[]): { men: number[]; used: number[] }[] => {
    const [die, ...more] = dice;
    const next = die === undefined ? [] : step(men, die);
    if (next.length === 0) return [{ men, used: [] }];
    return next.flatMap((after) =>
      sequences(after, more).map((end) => ({ men: end.men, used: [die!, ...end.used] })),
    );
  };
  const legalKnown = new Map<string, number[][]>();
  const legal = (men: number[], a: number, b: number): number[][] => {
    const key = `${men}/${a}/${b}`;
    const before = legalKnown.get(key);
    if (before) return before;
    const all =
      a === b ? sequences(men, [a, a, a, a]) : [...sequences(men, [a, b]), ...sequences(men, [b, a])];
    const most = Math.max(...all.map(({ used }) => used.length));
    const full = all.filter(({ used }) => used.length === most);
    const highest = Math.max(...full.flatMap(({ used }) => used));
    const ends = (most === 1 ? full.filter(({ used }) => used[0] === highest) : full).map((end) => end.men);
    legalKnown.set(key, ends);
    return ends;
  };
  const ofEnd = (mine: number[], theirs: number[]): number[] => {
    if (mine.length > 0) {
      const [w, wg, wb, lg, lb] = chancesOf(theirs, mine);
      return [1 - w!, lg!, lb!, wg!, wb!];
    }
    const gammon = theirs.length === chequers;
    return [1, Number(gammon), Number(gammon && theirs.includes(6)), 0, 0];
  };
  const worth = ([w, wg, wb, lg, lb]: number[]): number => w! - (1 - w!) + wg! + wb! - lg! - lb!;
  const chancesOf = (mine: number[], theirs: number[]): number[] => {
    const key = `${mine}/${theirs}`;
    const before = known.get(key);
    if (before) return before;
    const sum = [0, 0, 0, 0, 0];
    for (let a = 1; a <= 6; a++) {
      for (let b = 1; b <= 6; b++) {
        const best = legal(mine, a, b)
          .map((men) => ofEnd(men, theirs))
          .reduce((x, y) => (worth(y) > worth(x) ? y : x));
        best.forEach((chance, at) => {
          sum[at]! += chance / 36;
        });
      }
    }
    known.set(key, sum);
    return sum;
  };
  return chancesOf;
};

test('all positions of up to three chequers a side are as a brute force plays them', () => {
  const game = solve(3);
  const brute = bruteForce(3);
  const men = game.sides.map((side) => side.flatMap((count, at) => Array<number>(count).fill(at + 1)));
  for (let own = 1; own < men.length; own++) {
    for (let other = 1; other < men.length; other++) {
      const [exact, played] = [game.of(own, other), brute(men[own]!, men[other]!)];
      // The money won is the same whatever equal move is taken; so are the chances where no two moves are equal.
      const worth = (v: ArrayLike<number>) => 2 * v[0]! - 1 + v[1]! + v[2]! - v[3]! - v[4]!;
      assert.ok(Math.abs(worth(exact) - worth(played)) < 1e-12, `${men[own]} against ${men[other]}`);
      for (let at = 0; at < 5; at++) {
        const gap = Math.abs(exact[at]! - played[at]!);
        assert.ok(gap < 1e-9, `chance ${at} of ${men[own]} against ${men[other]} is off by ${gap}`);
      }
    }
  }
});

test('the chances are nested and lie within 0 and 1', () => {
  const game = solve(4);
  for (let own = 1; own < game.sides.length; own += 7) {
    for (let other = 1; other < game.sides.length; other += 5) {
      const [win, gammon, backgammon, loseGammon, loseBackgammon] = game.of(own, other);
      assert.ok(1 + 1e-12 >= win! && win! >= gammon! && gammon! >= backgammon! && backgammon! >= 0);
      assert.ok(1 - win! + 1e-12 >= loseGammon! && loseGammon! >= loseBackgammon! && loseBackgammon! >= 0);
    }
  }
});

test('a game of none or of eight chequers is refused', () => {
  for (const chequers of [0, 8, 2.5]) assert.throws(() => solve(chequers), RangeError);
});
