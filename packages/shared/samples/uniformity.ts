// Whether p-values are what they say: Kolmogorov-Smirnov distance to the uniform distribution on 0..1, and size.

/** sup |F_n - F|; under uniformity, sqrt(n) times it stays below 1.63 with probability .99 (Kolmogorov 1933). */
export const kolmogorovSmirnov = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((value, i) => Math.max(value - i / sorted.length, (i + 1) / sorted.length - value)),
  );
};

/** The shares of p-values at or below 1 % and 5 % (the size of a test where H0 holds), in words. */
export const sizesOf = (ps: readonly number[]): string => {
  const percent = (alpha: number): string => (100 * sizeAt(ps, alpha)).toFixed(1);
  return `size ${percent(0.01)} % at 1 %, ${percent(0.05)} % at 5 %`;
};

/** The share of p-values at or below alpha. */
export const sizeAt = (ps: readonly number[], alpha: number): number =>
  ps.filter((p) => p <= alpha).length / ps.length;
