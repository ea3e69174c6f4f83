// The nets that engines are timed on, as data: the same list builds them in TensorFlow.js and in PyTorch (pytorch.py).
export type LayerSpec =
  | { kind: 'conv'; filters: number; size: number }
  | { kind: 'pool'; size: number }
  | { kind: 'flatten' }
  | { kind: 'dense'; units: number; activation: 'relu' | 'linear' };

export interface NetSpec {
  name: string;
  /** Told in the table. */
  title: string;
  /** Shape of one record: [values], or [height, width, channels]. */
  input: number[];
  batch: number;
  classes: number;
  layers: LayerSpec[];
}

const conv = (filters: number): LayerSpec => ({ kind: 'conv', filters, size: 3 });
const pool: LayerSpec = { kind: 'pool', size: 2 };
const flatten: LayerSpec = { kind: 'flatten' };
const dense = (units: number, activation: 'relu' | 'linear'): LayerSpec => ({
  kind: 'dense',
  units,
  activation,
});

/** As wide as gnubg's contact net. */
const mlp = [dense(128, 'relu'), dense(5, 'linear')];

/** Softmax cross entropy and Adam at 0.001 throughout; every convolution is 3×3, `same`, with bias and ReLU. */
export const nets: readonly NetSpec[] = [
  {
    name: 'mlp-256',
    title: 'MLP 250-128-5, batch 256',
    input: [250],
    batch: 256,
    classes: 5,
    layers: mlp,
  },
  {
    name: 'mlp-4096',
    title: 'MLP 250-128-5, batch 4,096',
    input: [250],
    batch: 4096,
    classes: 5,
    layers: mlp,
  },
  {
    name: 'conv',
    title: 'conv 16-32 on 28×28, dense 10, batch 128',
    input: [28, 28, 1],
    batch: 128,
    classes: 10,
    layers: [conv(16), pool, conv(32), pool, flatten, dense(10, 'linear')],
  },
  {
    name: 'cnn-1m',
    title: 'CNN of 1.0 M weights on 32×32×3, batch 64',
    input: [32, 32, 3],
    batch: 64,
    classes: 10,
    layers: [
      conv(32),
      conv(32),
      pool,
      conv(64),
      conv(64),
      pool,
      flatten,
      dense(224, 'relu'),
      dense(10, 'linear'),
    ],
  },
];

export const netNamed = (name: string): NetSpec => {
  const net = nets.find((known) => known.name === name);
  if (!net) throw new Error(`there is no net '${name}': ${nets.map((known) => known.name).join(', ')}`);
  return net;
};
