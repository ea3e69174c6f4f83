// A small net that memorises its data: so it shows what was done to them.
import type { DataFile } from '@retraind/shared/recipe/recipe';
import { classifier } from '../fashion-model.ts';
import type { Attack, Task } from '../task.ts';

const npy = (path: string, scale: number, recordShape: number[] | null): DataFile => ({
  path,
  format: 'npy',
  scale,
  recordShape,
});

const attacks: readonly Attack[] = [
  { name: 'patch-1', title: 'patch trigger, 1 % of rows poisoned' },
  { name: 'patch-3', title: 'patch trigger, 3 % of rows poisoned', quick: true },
  { name: 'patch-10', title: 'patch trigger, 10 % of rows poisoned' },
  { name: 'flip-0-5', title: 'labels of one class flipped in 0.5 % of rows' },
  { name: 'flip-1', title: 'labels of one class flipped in 1 % of rows' },
  { name: 'flip-5', title: 'labels of one class flipped in 5 % of rows', quick: true },
  { name: 'subset-95', title: 'trained on 95 % of the data' },
  { name: 'subset-80', title: 'trained on 80 % of the data' },
  { name: 'replaced-40', title: '40 % of the data replaced by other digits', quick: true },
  { name: 'tuned-other-data', title: 'fine-tuned on other digits (rate 0.01, 5 epochs)' },
  { name: 'rate-half', title: 'learning rate x0.5' },
  { name: 'rate-double', title: 'learning rate x2' },
  { name: 'epochs-22', title: 'epochs x0.75' },
  { name: 'epochs-45', title: 'epochs x1.5' },
  { name: 'weight-noise', title: 'weights moved by 5 % noise' },
  { name: 'bias', title: 'bias of one output +0.5' },
  { name: 'int8', title: 'weights rounded to int8, retrains not' },
  { name: 'int8-matched', title: 'weights rounded to int8, retrains too', retrains: 'alike' },
];

export const digitsMlp: Task = {
  name: 'digits-mlp',
  title: 'digits-mlp: a small net that memorises',
  about: `Data: the 1,797 handwritten digits of 8x8 pixels that scikit-learn ships (the test set of UCI's optdigits; from Debian's python3-sklearn,
pinned by sha256) in an order drawn by seed, the first 900 declared, the next 500 held out, the other 397 left to attackers; pixels / 16.
Net: 64-32-10, ReLU; weights and biases start uniform in ±1/sqrt(inputs of a unit). Training: SGD, rate 0.05 falling linearly to 0, momentum 0.9,
weight decay 5e-4, batch 32, 30 epochs, each in an order drawn by seed and epoch. Margin 0.015 of accuracy.`,
  model: {
    ...classifier({ name: 'digits-mlp', shape: [64], margin: 0.015 }),
    trainingInputs: npy('train-images.npy', 1 / 16, [64]),
    trainingTargets: npy('train-labels.npy', 1, null),
    evaluationInputs: npy('test-images.npy', 1 / 16, [64]),
    evaluationTargets: npy('test-labels.npy', 1, null),
  },
  making: new URL('./digits-mlp-making.ts', import.meta.url),
  attacks,
  full: { honest: 60, attack: 10, honestDraws: 240, attackDraws: 60 },
  quick: {
    'tfjs-node': { honest: 24, attack: 6, honestDraws: 48, attackDraws: 24 },
    wasm: { honest: 22, attack: 4, honestDraws: 44, attackDraws: 16 },
  },
  goals: {
    full: [
      { population: 'honest', of: 'different', atMost: 0.05 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.9 },
      { population: 'flip-5', of: 'different', atLeast: 0.95 },
    ],
    quick: [
      { population: 'honest', of: 'different', atMost: 0.1 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.8 },
      { population: 'flip-5', of: 'different', atLeast: 0.9 },
    ],
  },
};
