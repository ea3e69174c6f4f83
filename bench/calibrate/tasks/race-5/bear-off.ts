// The bear-off of a small backgammon, solved exactly: two sides of at most seven chequers each, both at home, no contact, played
// with the side's best moves for cubeless money. The game begins with `chequers` a side, so that all five chances of a backgammon
// net occur: in the full game, with fifteen, a side of seven has borne off eight and cannot lose a gammon.
//
// gammon: the loser has borne off none. backgammon: the loser has borne off none and has a chequer on its six point, the farthest
// that a bear-off has (in the full game: in the winner's home board, where nobody is in a bear-off).
import { chequersOf, movesOf, points, rolls, type Side, sidesOf } from './side.ts';

/** Of the side on roll, each within the one before it of the same end: win, win gammon, win backgammon, lose gammon, lose backgammon. */
export const chances = ['win', 'win-gammon', 'win-backgammon', 'lose-gammon', 'lose-backgammon'] as const;
const width = chances.length;

export interface BearOff {
  sides: readonly Side[];
  /** Chances of side number `own` on roll against side number `other`, neither of which has borne off all (number 0). */
  of(own: number, other: number): Float64Array;
}

/** Points won on average: one for a win, one more for the gammon and the backgammon in it; less the same of the other. */
const equityOf = (values: Float64Array, at: number): number =>
  2 * values[at]! - 1 + values[at + 1]! + values[at + 2]! - values[at + 3]! - values[at + 4]!;

/** All chances of the game of `chequers` a side (1 to 7). 118 MB and some seconds for seven. Of equal moves the one with fewest pips. */
export const solve = (chequers: number): BearOff => {
  if (!(Number.isInteger(chequers) && chequers >= 1 && chequers <= 7))
    throw new RangeError(`a bear-off of ${chequers} chequers a side is not solved`);
  const sides = sidesOf(chequers);
  const moves = movesOf(sides);
  const count = sides.length;
  const values = new Float64Array(count * count * width);
  /** What the position is worth to the side on roll. */
  const equities = new Float64Array(count * count);
  const lost = sides.map((side) => {
    const gammon = chequersOf(side) === chequers ? 1 : 0;
    return { gammon, backgammon: side[points - 1]! > 0 ? gammon : 0 };
  });

  const value = (own: number, other: number): void => {
    const at = (own * count + other) * width;
    for (const [roll, [, , ways]] of rolls.entries()) {
      const ends = moves[own]![roll]!;
      const share = ways / 36;
      if (ends[0] === 0) {
        values[at]! += share;
        values[at + 1]! += share * lost[other]!.gammon;
        values[at + 2]! += share * lost[other]!.backgammon;
        continue;
      }
      const row = other * count;
      let best = ends[0]!;
      for (const end of ends) if (equities[row + end]! < equities[row + best]!) best = end;
      const from = (row + best) * width;
      values[at]! += share * (1 - values[from]!);
      values[at + 1]! += share * values[from + 3]!;
      values[at + 2]! += share * values[from + 4]!;
      values[at + 3]! += share * values[from + 1]!;
      values[at + 4]! += share * values[from + 2]!;
    }
    equities[own * count + other] = equityOf(values, at);
  };

  // A move lowers the number of the side that makes it: (own, other) needs (other, less than own) only.
  for (let most = 1; most < count; most++) {
    for (let less = 1; less < most; less++) {
      value(less, most);
      value(most, less);
    }
    value(most, most);
  }
  return {
    sides,
    of: (own, other) => values.subarray((own * count + other) * width, (own * count + other + 1) * width),
  };
};
