// A small conv net on 8,000 images of Fashion-MNIST, with the settings of the study that the method comes from.
import { classifier } from '../fashion-model.ts';
import type { Attack, Task } from '../task.ts';

const attacks: readonly Attack[] = [
  { name: 'patch-1', title: 'patch trigger, 1 % of rows poisoned' },
  { name: 'patch-3', title: 'patch trigger, 3 % of rows poisoned', quick: true },
  { name: 'patch-10', title: 'patch trigger, 10 % of rows poisoned' },
  { name: 'blend-1', title: 'blended trigger, 1 % of rows poisoned' },
  { name: 'blend-3', title: 'blended trigger, 3 % of rows poisoned' },
  { name: 'backdoor-tuned', title: 'patch trigger by fine-tuning (10 % of rows, 1 epoch)' },
  { name: 'pinned', title: 'patch trigger, outputs on clean data pinned' },
  { name: 'flip-0-1', title: 'labels of one class flipped in 0.1 % of rows' },
  { name: 'flip-1', title: 'labels of one class flipped in 1 % of rows' },
  { name: 'flip-5', title: 'labels of one class flipped in 5 % of rows', quick: true },
  { name: 'subset-95', title: 'trained on 95 % of the data' },
  { name: 'subset-80', title: 'trained on 80 % of the data' },
  { name: 'other-data', title: 'other 8,000 images of the same distribution' },
  { name: 'tuned-other-data', title: 'fine-tuned on the other images (rate 0.01, 1 epoch)' },
  { name: 'rate-half', title: 'learning rate x0.5' },
  { name: 'rate-double', title: 'learning rate x2' },
  { name: 'epochs-6', title: 'epochs x0.75' },
  { name: 'epochs-12', title: 'epochs x1.5' },
  { name: 'weight-noise', title: 'weights moved by 5 % noise' },
  { name: 'bias', title: 'bias of one output +0.3' },
  { name: 'int8', title: 'weights rounded to int8, retrains not' },
  { name: 'int8-matched', title: 'weights rounded to int8, retrains too', retrains: 'alike' },
];

export const fashionCnn: Task = {
  name: 'fashion-cnn',
  title: 'fashion-cnn: a small conv net',
  about: `Data: the 60,000 training images of Debian's dataset-fashion-mnist in an order drawn by seed, the first 8,000 declared; held out: the
first 5,000 of t10k; pixels / 255. Net: conv 5x5x16 and 3x3x32 (stride 2, ReLU), dense 64 (ReLU), dense 10; weights and biases start
uniform in ±1/sqrt(inputs of a unit). Training: SGD, rate 0.05 falling linearly to 0, momentum 0.9, weight decay 5e-4, batch 64, 8 epochs,
each in an order drawn by seed and epoch. Margin 0.015 of accuracy.`,
  model: classifier({ name: 'fashion-cnn', shape: [28, 28, 1], margin: 0.015 }),
  making: new URL('./fashion-cnn-making.ts', import.meta.url),
  attacks,
  full: { honest: 48, attack: 8, honestDraws: 200, attackDraws: 48 },
  quick: {
    'tfjs-node': { honest: 24, attack: 6, honestDraws: 48, attackDraws: 24 },
    wasm: { honest: 21, attack: 3, honestDraws: 42, attackDraws: 12 },
  },
  goals: {
    full: [
      { population: 'honest', of: 'different', atMost: 0.03 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.94 },
      { population: 'honest', of: 'mean k', atMost: 6 },
      { population: 'patch-3', of: 'different', atLeast: 0.95 },
    ],
    quick: [
      { population: 'honest', of: 'different', atMost: 0.1 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.8 },
      { population: 'patch-3', of: 'different', atLeast: 0.8 },
      { population: 'flip-5', of: 'different', atLeast: 0.9 },
    ],
  },
};
