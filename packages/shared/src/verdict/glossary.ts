// What tests and alarms are called and mean, for pages and the reference: in words for people who were not here when it was measured.
import type { AlarmName, TestId } from './evidence.ts';

/** Tests by what they look at, in the order in which they are shown. */
export const testGroups = {
  'held-out': 'Behaviour on held-out data',
  training: 'Fit to the declared training data',
  probes: 'Behaviour off the data: probes',
  triggers: 'Triggers',
  weights: 'Weights',
} as const;
export type TestGroup = keyof typeof testGroups;

interface TestWords {
  group: TestGroup;
  /** What the test asks of the shipped model, beside its retrains. */
  asks: string;
}

export const testWords: Record<TestId, TestWords> = {
  'loss-test': { group: 'held-out', asks: 'is its loss (or metric) on held-out data one more of theirs?' },
  'distance-test': {
    group: 'held-out',
    asks: 'does it disagree with them on held-out data no more than they among themselves?',
  },
  'cells-test': {
    group: 'held-out',
    asks: 'does it say each class, or mean of an output, as often as they do?',
  },
  'bias-test': {
    group: 'held-out',
    asks: 'is its mean error, slice by slice and output by output, one more of theirs?',
  },
  'distance-train': {
    group: 'training',
    asks: 'does it disagree with them on the training data no more than they among themselves?',
  },
  gap: {
    group: 'training',
    asks: 'does it fit the training data better than held-out data by as much as they do?',
  },
  'loss-cells-train': { group: 'training', asks: 'does it fit each class of the training data as they do?' },
  'entropy-train': { group: 'training', asks: 'is it as sure of itself on the training data?' },
  'entropy-mix': { group: 'probes', asks: 'is it as sure of itself between two records?' },
  'distance-noise': {
    group: 'probes',
    asks: 'does it disagree with them on noise no more than they among themselves?',
  },
  'cells-noise': {
    group: 'probes',
    asks: 'does it say each class, or mean of an output, on noise as they do?',
  },
  'distance-patch': {
    group: 'probes',
    asks: 'does it disagree with them on patched records no more than they among themselves?',
  },
  'cells-patch': {
    group: 'probes',
    asks: 'does it say each class, or mean of an output, on patched records as they do?',
  },
  triggers: { group: 'triggers', asks: 'does a trigger into some class need as large a mask as in them?' },
  'weight-norm': {
    group: 'weights',
    asks: 'is the norm of its weights one more of theirs? (outside the family)',
  },
  'loss-slices': {
    group: 'held-out',
    asks: 'is its loss in each declared slice one more of theirs? (outside the family)',
  },
};

export const alarmWords: Record<AlarmName, string> = {
  'trigger-like':
    'a far smaller change of the image sends everything to one class than in any retrain, or patches do',
  slice: 'a class, output or slice in which the difference stands out',
  'contradicts-declared-labels':
    'on training records whose declared label every retrain has learnt, the shipped model says another',
  'too-close':
    'the shipped model lies nearer to the retrains than they lie to each other, as an average of models, a distillation or a copy would; forbids equivalence',
  'different-recipe':
    'only the norm of the weights and how sure the model is differ, as another learning rate, number of epochs or weight decay would make them',
  'edited-lineage': 'the shipped file descends from the declared run and was changed after it, or during it',
  'claimed-metric': 'README or model card claim another metric than was measured; decides nothing',
};
