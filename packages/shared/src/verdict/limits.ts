// What a verdict cannot exclude: printed beside it always, on pages, in JSON and in attestations.
import type { Gap, Rung } from './evidence.ts';
import { meanOf } from './moments.ts';

const sourcesMayBeBad =
  'Retraining verifies correspondence, not goodness: malice inside the declared data or code is reproduced faithfully.';
const oneHop =
  'Labels or parent models made by other models are verified only one hop: what those models are is not examined.';
const chosenSeed =
  'Whoever trained the shipped model may have trained many and shipped the one with a wanted flaw: its seed was not drawn in public.';

const statistical: readonly string[] = [
  'Some planted backdoors cannot be found by any efficient test (Goldwasser, Kim, Vaikuntanathan, Zamir 2022).',
  'An attacker who starts from an honest run, pins its outputs and trains against the published tests was still called equivalent in 82 % of measured cases.',
  sourcesMayBeBad,
  chosenSeed,
  'Small changes stay unseen: a few flipped labels, 5 % of the data left out, triggers that seldom work, and other data of the same kind where the model does not memorise.',
  oneHop,
];

const disagreement: readonly string[] = [
  'It is not said which of the two is wrong: an undeclared library version or setting disagrees with a pipeline as an edited file does.',
];

const byRung: Record<Rung, readonly string[]> = {
  'bit-identical': [sourcesMayBeBad, oneHop],
  'same-run': [sourcesMayBeBad, oneHop],
  'statistically-equivalent': statistical,
  different: disagreement,
  inconclusive: [
    'Neither equivalence nor difference was shown; more retrains or a steadier recipe may show either.',
  ],
  'not-verifiable': ['Nothing is said about how the shipped file came about.'],
};

/**
 * The limits that apply to a rung, one sentence each, weightiest first. Where statistics were needed (`statistics` is not null) and other
 * data may lie behind them, one of them says in which world the reader is: a net that does not memorise carries no trace of its data.
 */
export const limitsOf = (rung: Rung, statistics: { gap: Gap | null } | null = null): string[] => {
  const open = rung === 'statistically-equivalent' || rung === 'inconclusive';
  return statistics && open ? [worldOf(statistics.gap), ...byRung[rung]] : [...byRung[rung]];
};

const worldOf = (gap: Gap | null): string => {
  if (gap === null) {
    return 'Fit to the training data was not tested: a model trained on other data of the same kind may stay unseen.';
  }
  const { loss, accuracy, showsOtherData } = gap;
  const { retrains } = accuracy ?? loss;
  const of = (figure: (fit: { train: number; test: number }) => number): string =>
    meanOf(retrains.map(figure)).toPrecision(4);
  const told = `${accuracy ? 'accuracy' : 'loss'} ${of(({ train }) => train)} on training data, ${of(({ test }) => test)} on test data`;
  return showsOtherData
    ? `Retrains fit their training data better than data that they have not seen (${told}): other data of the same kind would have stood out.`
    : `Retrains hardly fit their training data better than data that they have not seen (${told}): such a model carries no trace of its data, and other data of the same kind stays unseen.`;
};
