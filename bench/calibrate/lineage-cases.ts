// Which files the lineage calibration makes, and which are held against which. Pure.
import { furtherNumerics, lineageNumerics } from '@retraind/shared/verdict/run-plan';
import type { Wanted } from './population.ts';
import { honest } from './task.ts';

/** RETRAIN_NUMERICS of another engine. */
const otherEngine = 4;
/** Those of an upstream whose arithmetic is none of the reruns': one weight moved by 1 ulp, another each. */
const otherWeights = [8, 9, 10] as const;
/** The arithmetic under which tampered files were made. */
const shippedNumerics = otherWeights[0];

/** Ways of tampering that a rerun of the declared seed is to show, by makers of fashion-cnn. */
export const editedKinds = [
  { name: 'patch-1', title: 'patch trigger, 1 % of rows, same seed' },
  { name: 'patch-0-3', title: 'patch trigger, 0.3 % of rows, same seed' },
  { name: 'flip-0-1', title: 'labels of 8 images flipped, same seed' },
  { name: 'rate-half', title: 'learning rate x0.5, same seed' },
  { name: 'backdoor-tuned', title: 'patch trigger by fine-tuning' },
  { name: 'tuned-other-data', title: 'fine-tuned on other images' },
  { name: 'pinned', title: 'patch trigger, outputs on clean data pinned' },
  { name: 'bias', title: 'bias of one output +0.3' },
  { name: 'one-tensor', title: 'first kernel moved by 20 % noise' },
] as const;

/** Smaller than what arithmetic alone changes: shown, and no part of the goal. */
export const hiddenKinds = [{ name: 'weight-noise', title: 'all weights moved by 5 % noise' }] as const;

export interface LineageCase {
  /** `left-out`: honest, against the three other reruns; `outside`: honest, against all, as the product has them. */
  kind: 'left-out' | 'outside' | 'edited' | 'hidden';
  title: string;
  shipped: Wanted;
  reruns: Wanted[];
  /** Those that are asked for where the first leave it unsettled. */
  further: Wanted[];
}

const rerunsOf = (seed: number, all: readonly number[], without: number): Wanted[] =>
  all.filter((numerics) => numerics !== without).map((numerics) => ({ population: honest, seed, numerics }));

/** All cases of seeds 1..seeds. `engines`: whether there is another engine to train by; without one its reruns are left out. */
export const lineageCases = (seeds: number, engines: boolean): LineageCase[] =>
  Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) => {
    const further = furtherNumerics.filter((numerics) => engines || numerics !== otherEngine);
    const untampered = (kind: LineageCase['kind'], title: string, numerics: number): LineageCase => ({
      kind,
      title,
      shipped: { population: honest, seed, numerics },
      reruns: rerunsOf(seed, lineageNumerics, numerics),
      further: rerunsOf(seed, further, numerics),
    });
    const tampered =
      (kind: 'edited' | 'hidden') =>
      ({ name, title }: { name: string; title: string }): LineageCase => ({
        kind,
        title,
        shipped: { population: name, seed, numerics: shippedNumerics },
        reruns: rerunsOf(seed, lineageNumerics, shippedNumerics),
        further: rerunsOf(seed, further, shippedNumerics),
      });
    return [
      ...lineageNumerics.map((numerics) =>
        untampered('left-out', 'honest, its arithmetic left out', numerics),
      ),
      ...(engines ? [untampered('outside', 'honest, by another engine', otherEngine)] : []),
      ...otherWeights.map((numerics) =>
        untampered('outside', 'honest, another weight moved by 1 ulp', numerics),
      ),
      ...editedKinds.map(tampered('edited')),
      ...hiddenKinds.map(tampered('hidden')),
    ];
  });

/** Every file that the cases need, once. */
export const filesOf = (cases: readonly LineageCase[]): Wanted[] => [
  ...new Map(
    cases
      .flatMap(({ shipped, reruns, further }) => [shipped, ...reruns, ...further])
      .map((file) => [`${file.population}/${file.seed}/${file.numerics}`, file]),
  ).values(),
];
