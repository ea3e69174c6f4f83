// Data of race-5: bear-off positions as a net sees them, and what rollouts of them say.
import { join } from 'node:path';
import { writeWhole } from '@retraind/pipeline/file';
import { generator } from '@retraind/pipeline/random';
import { npyBytes } from '../../npy.ts';
import { type BearOff, chances, solve } from './bear-off.ts';
import { chequersOf, points, type Side } from './side.ts';

/** Chequers a side at the game's begin. */
const chequers = 7;
/** Games of a rollout. */
const games = 144;
export const perPoint = 3;
export const perSide = points * perPoint + 1;
export const inputs = 2 * perSide;
export const outputs = chances.length;

/** Rows of the declared set, of the held-out one, and of a pool for those who train on other positions. */
export const rows = { train: 10_000, test: 5_000, other: 20_000 } as const;

/** For each point whether it holds one chequer, whether two, and half the count beyond; then the share of chequers borne off. */
const encode = (side: Side): number[] => [
  ...side.flatMap((count) => [Number(count >= 1), Number(count >= 2), Math.max(0, count - 2) / 2]),
  (chequers - chequersOf(side)) / chequers,
];

type Position = readonly [own: number, other: number];

/**
 * Distinct positions: the number of chequers of either side uniform over 1..7, then the side uniform among those of so many.
 * (Uniform over all positions, half of the sides would have all seven chequers, and gammons would hardly occur.)
 */
const draw = (sides: readonly Side[], count: number, next: () => number): Position[] => {
  const byChequers = Array.from({ length: chequers }, (_, i) =>
    sides.flatMap((side, number) => (chequersOf(side) === i + 1 ? [number] : [])),
  );
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  const drawn = new Map<string, Position>();
  while (drawn.size < count) {
    const position: Position = [pick(pick(byChequers)), pick(pick(byChequers))];
    drawn.set(position.join(), position);
  }
  return [...drawn.values()];
};

/**
 * The five chances as `games` games would show them, given the true ones (rows × 5): each game ends one way, so every share is
 * binomial(144) / 144 and those of one row are nested.
 */
export const rollOut = (truth: ArrayLike<number>, next: () => number): Float32Array => {
  const shares = new Float32Array(truth.length);
  for (let at = 0; at < truth.length; at += outputs) {
    const [win, winGammon, winBackgammon, loseGammon, loseBackgammon] = [0, 1, 2, 3, 4].map(
      (output) => truth[at + output]!,
    );
    for (let game = 0; game < games; game++) {
      const fate = next();
      const won = fate < win!;
      // A won game lies in 0..win with the gammons first; a lost one in win..1 with the gammons last.
      shares[at]! += Number(won);
      shares[at + 1]! += Number(won && fate < winGammon!);
      shares[at + 2]! += Number(won && fate < winBackgammon!);
      shares[at + 3]! += Number(!won && 1 - fate <= loseGammon!);
      shares[at + 4]! += Number(!won && 1 - fate <= loseBackgammon!);
    }
  }
  return shares.map((count) => count / games);
};

const chancesOf = (game: BearOff, positions: readonly Position[]): Float32Array =>
  Float32Array.from(positions.flatMap(([own, other]) => [...game.of(own, other)]));

/**
 * For each set `<set>-inputs.npy` (rows × 38) and `<set>-targets.npy` (rows × 5, rollouts); `train-chances.npy`, the true chances
 * of the declared rows; `test-slices.npy`, a held-out row's chequers left to the side on roll, from 0 for one.
 */
export const writeRace = async (folder: string): Promise<void> => {
  const game = solve(chequers);
  const all = draw(game.sides, rows.train + rows.test + rows.other, generator(1, 'race-5/positions'));
  let from = 0;
  for (const [set, count] of Object.entries(rows)) {
    const positions = all.slice(from, from + count);
    from += count;
    const records = positions.flatMap(([own, other]) => [
      ...encode(game.sides[own]!),
      ...encode(game.sides[other]!),
    ]);
    const truth = chancesOf(game, positions);
    const write = (name: string, shape: number[], values: Float32Array | Int32Array): Promise<void> =>
      writeWhole(join(folder, `${set}-${name}.npy`), npyBytes([count, ...shape], values));
    await write('inputs', [inputs], Float32Array.from(records));
    await write('targets', [outputs], rollOut(truth, generator(1, `race-5/rollouts/${set}`)));
    if (set === 'train') await write('chances', [outputs], truth);
    if (set === 'test') {
      const left = positions.map(([own]) => chequersOf(game.sides[own]!) - 1);
      await write('slices', [], Int32Array.from(left));
    }
  }
};
