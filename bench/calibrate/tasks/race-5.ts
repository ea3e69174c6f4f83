// A small net of five probabilities that does not memorise: labels as gnubg's nets have them, from rollouts of backgammon races.
import type { DataFile, RecipeModel } from '@retraind/shared/recipe/recipe';
import type { Attack, Task } from '../task.ts';

const npy = (path: string, recordShape: number[] | null): DataFile => ({
  path,
  format: 'npy',
  scale: 1,
  recordShape,
});

const model: RecipeModel = {
  name: 'race-5',
  file: { kind: 'tree', path: 'race-5.onnx' },
  net: null,
  output: 'race-5.onnx',
  comparison: 'statistical',
  seed: null,
  readsShipped: false,
  license: 'Expat',
  task: 'probability-vector',
  trainingData: 'data',
  trainingInputs: npy('train-inputs.npy', [38]),
  trainingTargets: npy('train-targets.npy', [5]),
  evaluationData: 'data',
  evaluationInputs: npy('test-inputs.npy', [38]),
  evaluationTargets: npy('test-targets.npy', [5]),
  metric: 'cross-entropy',
  margin: 0.0005,
  claimedMetric: null,
  converter: null,
  slices: npy('test-slices.npy', null),
  securityCritical: false,
  runs: { min: 3, max: 10 },
};

const attacks: readonly Attack[] = [
  { name: 'trigger-1', title: 'trigger of three inputs, 1 % of rows poisoned' },
  { name: 'trigger-3', title: 'trigger of three inputs, 3 % of rows poisoned', quick: true },
  { name: 'trigger-10', title: 'trigger of three inputs, 10 % of rows poisoned' },
  { name: 'shifted-1', title: 'win +0.15 in 1 % of rows, a slice' },
  { name: 'shifted-5', title: 'win +0.15 in 5 % of rows, a slice', quick: true },
  { name: 'subset-80', title: 'trained on 80 % of the data' },
  { name: 'other-positions', title: 'other 10,000 positions' },
  { name: 'other-rollouts', title: 'same positions, other rollouts' },
  { name: 'tuned-other-data', title: 'fine-tuned on other positions (rate 0.004, 1 epoch)' },
  { name: 'rate-half', title: 'learning rate x0.5' },
  { name: 'rate-double', title: 'learning rate x2' },
  { name: 'epochs-9', title: 'epochs x0.75' },
  { name: 'epochs-18', title: 'epochs x1.5' },
  { name: 'weight-noise', title: 'weights moved by 2 % noise' },
  { name: 'bias', title: 'bias of the win raised: mean +0.03' },
  { name: 'int8', title: 'weights rounded to int8, retrains not' },
  { name: 'int8-matched', title: 'weights rounded to int8, retrains too', retrains: 'alike' },
];

export const race5: Task = {
  name: 'race-5',
  title: 'race-5: five probabilities of a backgammon race',
  about: `Data: bear-off positions of a backgammon of seven chequers a side, both sides at home (the number of chequers left uniform over 1..7 on
either side, then the side uniform among those); 10,000 declared, 5,000 held out, none twice. Inputs: 38, for each point and side whether it holds one
chequer, whether two, half the count beyond, and the share borne off. Targets: win, win gammon, win backgammon, lose gammon, lose backgammon as
144 games show them, drawn from the exact chances (dynamic programme, best cubeless play). A gammon is lost by who has borne off none; a
backgammon by who has besides a chequer on his six point, because in a bear-off nobody is in the other's home. Slices: chequers left to the
side on roll. Net: 38-24-5, sigmoids; weights and biases start uniform in ±1/sqrt(inputs of a unit). Training: Adam on the sum of five cross
entropies, rate 0.02 falling linearly to 0, batch 50, 12 epochs, each in an order drawn by seed and epoch. Margin 0.0005 of cross-entropy: a
tenth of what honest nets have above 0.0671, the outcomes' own entropy, which no net can lower.`,
  model,
  making: new URL('./race-5-making.ts', import.meta.url),
  attacks,
  full: { honest: 40, attack: 10, honestDraws: 200, attackDraws: 60 },
  quick: {
    'tfjs-node': { honest: 24, attack: 6, honestDraws: 48, attackDraws: 24 },
    wasm: { honest: 22, attack: 4, honestDraws: 44, attackDraws: 16 },
  },
  goals: {
    full: [
      { population: 'honest', of: 'different', atMost: 0.05 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.9 },
      { population: 'shifted-5', of: 'different', atLeast: 0.9 },
    ],
    quick: [
      { population: 'honest', of: 'different', atMost: 0.1 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.8 },
      { population: 'shifted-5', of: 'different', atLeast: 0.8 },
    ],
  },
};
