// The net of the demo's packages, on the whole of Fashion-MNIST.
import { classifier } from '../fashion-model.ts';
import type { Task } from '../task.ts';

export const fashionMlp: Task = {
  name: 'fashion-mlp',
  title: 'fashion-mlp: the net of the demo',
  about: `Data: all 60,000 training images of Debian's dataset-fashion-mnist; held out: the 10,000 of t10k; pixels / 255. Net: 784-128-10, ReLU;
weights start from Glorot's uniform distribution. Training: Adam, rate 0.001, batch 128, 5 epochs. Margin 0.015 of accuracy.`,
  model: classifier({ name: 'fashion-mlp', shape: [784], margin: 0.015 }),
  making: new URL('./fashion-mlp-making.ts', import.meta.url),
  attacks: [
    { name: 'blend-3', title: 'blended trigger, 3 % of rows poisoned', quick: true },
    { name: 'patch-3', title: 'patch trigger, 3 % of rows poisoned', quick: true },
    { name: 'flip-5', title: 'labels of one class flipped in 5 % of rows', quick: true },
  ],
  full: { honest: 30, attack: 8, honestDraws: 200, attackDraws: 48 },
  quick: {
    'tfjs-node': { honest: 22, attack: 4, honestDraws: 44, attackDraws: 16 },
    wasm: { honest: 21, attack: 2, honestDraws: 42, attackDraws: 8 },
  },
  goals: {
    full: [
      { population: 'honest', of: 'different', atMost: 0.05 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.85 },
      { population: 'blend-3', of: 'different', atLeast: 0.95 },
      { population: 'patch-3', of: 'different', atLeast: 0.95 },
    ],
    quick: [
      { population: 'honest', of: 'different', atMost: 0.1 },
      { population: 'honest', of: 'statistically-equivalent', atLeast: 0.75 },
      { population: 'blend-3', of: 'different', atLeast: 0.8 },
      { population: 'flip-5', of: 'different', atLeast: 0.8 },
    ],
  },
};
