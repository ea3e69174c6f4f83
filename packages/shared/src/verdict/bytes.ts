// The rung of equal bytes: nothing to estimate, nothing accepted by mistake.
import type { Evidence } from './evidence.ts';

const filesOf = ({ file }: Evidence): string =>
  [file.sha256, ...(file.companions ?? []).map(({ path, sha256 }) => `${sha256} ${path}`)].join('\n');

/** Whether two files, with those beside them that hold their values, are equal to the byte. */
export const sameFiles = (a: Evidence, b: Evidence): boolean => filesOf(a) === filesOf(b);

/** Whether two models are the same bit by bit: equal files, or equal tensors (name, dtype, shape, bytes) in another container. */
export const sameBytes = (a: Evidence, b: Evidence): boolean =>
  sameFiles(a, b) || (a.tensorSha256 !== null && a.tensorSha256 === b.tensorSha256);

/** What runs of one or more seeds say of each other when none equals the shipped file. */
export type Repeatability = 'one-run' | 'agree' | 'disagree' | 'seeds-disagree';

/**
 * Reruns of one seed that differ: `disagree` (the recipe is not deterministic). Reruns of one seed that agree, or different
 * seeds that all agree: `agree`. Only different seeds, and they differ: `seeds-disagree`. Fewer than two runs: `one-run`.
 */
export const repeatability = (runs: readonly { seed: number; evidence: Evidence }[]): Repeatability => {
  if (runs.length < 2) return 'one-run';
  let rerun = false;
  let seedsAgree = true;
  for (const [i, run] of runs.entries()) {
    for (const other of runs.slice(0, i)) {
      const same = sameBytes(run.evidence, other.evidence);
      if (run.seed === other.seed) {
        if (!same) return 'disagree';
        rerun = true;
      } else if (!same) seedsAgree = false;
    }
  }
  return rerun || seedsAgree ? 'agree' : 'seeds-disagree';
};

/** The first pair of different seeds whose retrains are the same bytes, or null: such a recipe ignores its seed. */
export const seedIgnored = (
  runs: readonly { seed: number; evidence: Evidence }[],
): readonly [number, number] | null => {
  for (const [i, run] of runs.entries()) {
    for (const other of runs.slice(0, i)) {
      if (run.seed !== other.seed && sameBytes(run.evidence, other.evidence)) return [other.seed, run.seed];
    }
  }
  return null;
};
