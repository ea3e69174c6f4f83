// The test of the loss on held-out data: the weakest of the battery against what was planted, and the one that everybody expects.
import { type Compared, type Outcome, outputsOf, targetsOf } from './compared.ts';
import { accuracySdFloor } from './moments.ts';
import { predictiveT } from './predictive-t.ts';

/**
 * Predictive t on the log of the mean test loss (nats, or squared units of the output), two-sided: as the evaluator measured it, else
 * from targets (fit.ts). Without either, on the metric: an accuracy as it is, its sd floored (moments.ts), another by its log10.
 * H0: the shipped model's is one more draw of the retrains'.
 */
export const lossTest = (compared: Compared): Outcome => {
  const { shipped, retrains } = compared;
  const files = [shipped, ...retrains];
  const measured = files.map(({ evidence }) => evidence.logLoss);
  if (measured.every((loss) => loss !== null)) return ask('log of the test loss', measured.map(Math.log));
  if (measured.some((loss) => loss !== null)) return { why: 'log of the test loss: some files have none' };
  const labelled = targetsOf(compared, 'test', 'loss');
  if ('targets' in labelled) {
    const losses = files.map((file) => {
      const { values, columns } = outputsOf(file, 'test')!;
      return Math.log(compared.measures.fit(compared.model.task, values, columns, labelled.targets).loss);
    });
    return ask('log of the test loss', losses);
  }
  const metric = shipped.evidence.metric!.name;
  const values = files.map(({ evidence }) => evidence.metric!.value);
  if (metric === 'accuracy') {
    return ask(metric, values, accuracySdFloor(values[0]!, shipped.evidence.sets.test!.rows));
  }
  if (values.every((value) => value > 0)) return ask(`log10 of ${metric}`, values.map(Math.log10));
  return ask(metric, values);
};

const ask = (name: string, [shipped, ...retrains]: number[], sdFloor = 0): Outcome => {
  const result = predictiveT(shipped!, retrains, sdFloor);
  if (!result) return { why: `${name}: not defined on these values, or the retrains show no spread` };
  const nullHypothesis = `the shipped model's ${name} is one more draw of the retrains'`;
  return { test: { id: 'loss-test', name, nullHypothesis, ...result } };
};
