// Kolmogorov-Smirnov distance of a sample to the uniform distribution on 0..1, for tests that a p-value is one.

/** sup |F_n - F|; under uniformity, sqrt(n) times it stays below 1.63 with probability .99 (Kolmogorov 1933). */
export const kolmogorovSmirnov = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((value, i) => Math.max(value - i / sorted.length, (i + 1) / sorted.length - value)),
  );
};
