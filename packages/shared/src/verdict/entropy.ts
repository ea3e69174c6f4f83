// How sure a classifier is: other learning rates, epochs and weight decay show here before they show in its answers.
// Source: docs/explanation/verdicts.md.
import { type Compared, figuresOf, missingSet, type Outcome } from './compared.ts';
import { setNames } from './evidence.ts';
import { predictiveT } from './predictive-t.ts';

/** Mean Shannon entropy of class distributions (row-major, rows × columns), in nats: 0..log(columns). */
export const meanEntropy = (values: Float32Array, columns: number): number => {
  let sum = 0;
  for (const p of values) if (p > 0) sum -= p * Math.log(p);
  return sum / (values.length / columns);
};

/**
 * Predictive t on the log of the mean entropy over a set, two-sided. H0: the shipped model's is one more draw of the retrains'. Not
 * defined where a model is wholly sure of everything.
 */
export const entropyTest = (compared: Compared, set: 'train' | 'mix'): Outcome => {
  const name = `log of the mean entropy on ${setNames[set]}`;
  const untested = missingSet(compared, set, `entropy on ${setNames[set]}`);
  if (untested !== null) return { untested };
  const [shipped, ...retrains] = figuresOf(compared, set, ({ values, columns }) =>
    Math.log(compared.measures.entropy(values, columns)),
  );
  const result = predictiveT(shipped, retrains);
  if (!result) return { why: `${name}: not defined on these values, or the retrains show no spread` };
  const nullHypothesis = `the shipped model's ${name} is one more draw of the retrains'`;
  return { test: { id: `entropy-${set}`, name, nullHypothesis, ...result } };
};
