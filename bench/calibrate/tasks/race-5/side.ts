// One side of a bear-off: its chequers on the six points of its home board, numbered by pips, and where each roll may take it.

/** Points of the home board. */
export const points = 6;

/** Chequers on point 1 (the ace point) … 6. */
export type Side = readonly number[];

/** The 21 rolls as [die, die, ways of 36]. */
export const rolls: readonly (readonly [number, number, number])[] = Array.from({ length: 6 }, (_, i) =>
  Array.from({ length: i + 1 }, (_, j): [number, number, number] => [i + 1, j + 1, i === j ? 1 : 2]),
).flat();

const pipsOf = (side: Side): number => side.reduce((sum, count, at) => sum + count * (at + 1), 0);
export const chequersOf = (side: Side): number => side.reduce((sum, count) => sum + count, 0);

/** All sides of at most `most` chequers by rising pips, so that every move leads to one before; the first has borne off all. */
export const sidesOf = (most: number): Side[] => {
  const grown = (at: number, left: number): number[][] =>
    at === points
      ? [[]]
      : Array.from({ length: left + 1 }, (_, count) =>
          grown(at + 1, left - count).map((rest) => [count, ...rest]),
        ).flat();
  return grown(0, most).sort((a, b) => pipsOf(a) - pipsOf(b));
};

const keyOf = (side: Side): string => side.join('');

/**
 * Sides that one die may make of `side`: a chequer moves down by the die, or is borne off from the die's point, or, where no
 * chequer lies as high as the die, from the highest point. One that has borne off all stays as it is.
 */
const played = (side: Side, die: number): Side[] => {
  const highest = side.findLastIndex((count) => count > 0) + 1;
  if (highest === 0) return [side];
  const moves: Side[] = [];
  for (let from = 1; from <= highest; from++) {
    if (side[from - 1] === 0 || (from < die && from < highest)) continue;
    const after = [...side];
    after[from - 1]! -= 1;
    if (from > die) after[from - die - 1]! += 1;
    moves.push(after);
  }
  return moves;
};

/**
 * For each side, for each roll, the numbers of the sides that it may lead to, rising and each once. Both orders of two dice are
 * tried; that both dice must be played where they can be forbids nothing here, since an order that bears off the last chequer
 * with one die does so with two.
 */
export const movesOf = (sides: readonly Side[]): Int32Array[][] => {
  const numbers = new Map(sides.map((side, number) => [keyOf(side), number]));
  return sides.map((side) =>
    rolls.map(([high, low]) => {
      const orders =
        high === low
          ? [[high, high, high, high]]
          : [
              [high, low],
              [low, high],
            ];
      const ends = new Set<number>();
      for (const dice of orders) {
        let reached = new Map([[keyOf(side), side]]);
        for (const die of dice) {
          reached = new Map(
            [...reached.values()].flatMap((at) => played(at, die)).map((at) => [keyOf(at), at]),
          );
        }
        for (const key of reached.keys()) ends.add(numbers.get(key)!);
      }
      return Int32Array.from(ends).sort();
    }),
  );
};
