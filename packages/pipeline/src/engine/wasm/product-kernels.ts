// Matrix products. XNNPACK's, which tfjs's wasm backend calls, packs its second factor anew for each id it sees, and products with a
// transposed factor run in a scalar loop there. Ours packs the transposition away, with the same bits: sums begin at the bias (or 0)
// and k ascends. Batched products, whose stock sums are cut into blocks of 48, follow the same rule: there the bits are ours.
import { broadcast_util, util } from '@tensorflow/tfjs-core';
import { ownModule } from './module.ts';
import type { Addresses, Attributes, Inputs, OwnKernel, Tensor } from './own-kernel.ts';

interface Product {
  m: number;
  k: number;
  n: number;
  transposeA: boolean;
  transposeB: boolean;
  shape: number[];
  /** For each product of the batch, which matrix of a and of b it takes. */
  pairs: [a: number, b: number][];
}

const batchOf = ({ shape }: Tensor): number[] => shape.slice(0, -2);

/** Number of the matrix at `index` of the broadcast batch, counted in the factor's own batch. */
function matrixAt(index: number, shape: number[], batch: number[]): number {
  let rest = index;
  let number = 0;
  let stride = 1;
  for (let axis = batch.length - 1, own = shape.length - 1; axis >= 0; axis--, own--) {
    const at = rest % batch[axis]!;
    rest = Math.floor(rest / batch[axis]!);
    if (own < 0) continue;
    if (shape[own] !== 1) number += at * stride;
    stride *= shape[own]!;
  }
  return number;
}

function productOf({ a, b }: Inputs, attrs: Attributes): Product {
  const transposeA = Boolean(attrs.transposeA);
  const transposeB = Boolean(attrs.transposeB);
  const [rowsA, columnsA] = a!.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b!.shape.slice(-2) as [number, number];
  const m = transposeA ? columnsA : rowsA;
  const k = transposeA ? rowsA : columnsA;
  const n = transposeB ? rowsB : columnsB;
  const batch = broadcast_util.assertAndGetBroadcastShape(batchOf(a!), batchOf(b!));
  const pairs = Array.from({ length: util.sizeFromShape(batch) }, (_, index): [number, number] => [
    matrixAt(index, batchOf(a!), batch),
    matrixAt(index, batchOf(b!), batch),
  ]);
  return { m, k, n, transposeA, transposeB, shape: [...batch, m, n], pairs };
}

const isFloat = (tensor: Tensor | undefined): boolean => tensor?.dtype === 'float32';

/** Whether both are matrices of floats, or batches of them, that fit together and have no side of length 0. */
function multiplies({ a, b }: Inputs, attrs: Attributes): boolean {
  const matrices = [a, b];
  if (!matrices.every((x) => isFloat(x) && x!.shape.length >= 2 && util.sizeFromShape(x!.shape) > 0))
    return false;
  return a!.shape.at(attrs.transposeA ? -2 : -1) === b!.shape.at(attrs.transposeB ? -1 : -2);
}

const outputs = (inputs: Inputs, attrs: Attributes): Tensor[] => [
  { shape: productOf(inputs, attrs).shape, dtype: 'float32' },
];

function scratchBytes(inputs: Inputs, attrs: Attributes): number {
  const { k, n } = productOf(inputs, attrs);
  const block = Math.min(k, 384);
  return 128 + 16 * block + 32 * (1 + block) * Math.ceil(n / 8);
}

function bind(inputs: Inputs, attrs: Attributes): (addresses: Addresses) => void {
  const { m, k, n, transposeA, transposeB, pairs } = productOf(inputs, attrs);
  const { sgemm, relu } = ownModule();
  const [aRow, aColumn] = transposeA ? [4, 4 * m] : [4 * k, 4];
  const [bRow, bColumn] = transposeB ? [4, 4 * k] : [4 * n, 4];
  const rectified = attrs.activation === 'relu';
  return ({ inputs: at, outputs: [to], scratch }) => {
    for (const [index, [ofA, ofB]] of pairs.entries()) {
      const a = at.a! + 4 * m * k * ofA;
      const b = at.b! + 4 * k * n * ofB;
      const c = to! + 4 * m * n * index;
      sgemm(m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, at.bias ?? 0, scratch);
    }
    if (rectified) relu(m * n * pairs.length, to!);
  };
}

export const batchMatMul: OwnKernel = {
  name: 'BatchMatMul',
  fits: multiplies,
  outputs,
  scratchBytes,
  bind,
};

export const fusedMatMul: OwnKernel = {
  name: '_FusedMatMul',
  fits(inputs, attrs) {
    if (!multiplies(inputs, attrs) || inputs.preluActivationWeights) return false;
    if (attrs.activation !== 'linear' && attrs.activation !== 'relu') return false;
    const { bias } = inputs;
    return (
      !bias || (isFloat(bias) && bias.shape.length === 1 && bias.shape[0] === productOf(inputs, attrs).n)
    );
  },
  outputs,
  scratchBytes,
  bind,
};
