// Exact confidence interval of a rate that was counted (Clopper and Pearson 1934).

/** P(X ≤ count) for X binomial(n, p), summed term by term in logarithms; meant for n up to some thousands. */
const binomialCdf = (count: number, n: number, p: number): number => {
  if (count >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  let sum = 0;
  let logTerm = n * Math.log1p(-p);
  for (let i = 0; i <= count; i += 1) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((n - i) / (i + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, sum);
};

/** The p at which `risesAbove(p)` turns true; it is false at 0 and true at 1. */
const threshold = (risesAbove: (p: number) => boolean): number => {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (risesAbove(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
};

/** Bounds (0..1) of the true rate at this confidence, from `count` of n ≥ 1. */
export const clopperPearson = (
  count: number,
  n: number,
  confidence = 0.95,
): { low: number; high: number } => {
  const tail = (1 - confidence) / 2;
  return {
    low: count === 0 ? 0 : threshold((p) => 1 - binomialCdf(count - 1, n, p) >= tail),
    high: count === n ? 1 : threshold((p) => binomialCdf(count, n, p) <= tail),
  };
};
