// The L2 norm of all weights: it tells a learning rate, a weight decay, a number of epochs; of data it tells nothing.
import type { Compared, Outcome } from './compared.ts';
import { predictiveT } from './predictive-t.ts';

/** Predictive t on the log of the weight norm, two-sided; outside the family. H0: the shipped model's is one more draw of the retrains'. */
export const weightNormTest = ({ shipped, retrains }: Compared): Outcome => {
  const norms = [shipped, ...retrains].map(({ evidence }) => evidence.weightNorm);
  if (norms.some((norm) => norm === undefined)) {
    return { untested: 'the weights were not read: their norm was not compared' };
  }
  const [mine, ...theirs] = norms.map((norm) => Math.log(norm!));
  const name = 'log of the weight norm';
  const result = predictiveT(mine!, theirs);
  if (!result) return { why: `${name}: not defined on these values, or the retrains show no spread` };
  const nullHypothesis = `the shipped model's ${name} is one more draw of the retrains'`;
  return { test: { id: 'weight-norm', name, nullHypothesis, ...result } };
};
