// Mean and spread of a handful of run-level numbers. The unit of replication is the retrain, never the example: a test over
// examples rejected 84 % of honest pairs at 5 % (docs/explanation/verdicts.md).

/** Arithmetic mean; NaN for none. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample standard deviation (denominator n - 1), two passes; NaN for fewer than two values. */
export const sdOf = (values: readonly number[]): number => {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1));
};

/**
 * Floor for the sd of an accuracy measured on n examples: max(1/n, half the binomial sd sqrt(p(1-p)/n)). A few retrains may agree
 * by chance to the last example; without a floor the next example would then be infinitely surprising.
 */
export const accuracySdFloor = (accuracy: number, examples: number): number =>
  Math.max(1 / examples, Math.sqrt((accuracy * (1 - accuracy)) / examples) / 2);
