// The weights of several model files side by side, as the lineage rung compares them.
import { createHash } from 'node:crypto';
import type { WeightsRef } from '@retraind/shared/verdict/evidence';
import { alignTensors, TensorSums, type WeightComparison } from '@retraind/shared/verdict/weight-distances';
import { onnx } from '@retraind/worker/runtime/formats/onnx';

/** The float tensors of one file, one after the other. */
export interface Weights {
  ref: WeightsRef;
  values: Float32Array;
}

/** Reads an ONNX file. */
export const readWeights = (path: string): Weights => {
  const file = onnx.open(path);
  try {
    const floats = [...file.tensors.entries()].filter(([, { dtype }]) => dtype === 'F32');
    const bytes = new Uint8Array(floats.reduce((sum, [, tensor]) => sum + tensor.bytes, 0));
    let at = 0;
    for (const [index, tensor] of floats) {
      file.read(index, 0, bytes.subarray(at, at + tensor.bytes));
      at += tensor.bytes;
    }
    const tensors = floats.map(([, { name, shape }]) => ({ name, shape: [...shape] }));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { ref: { sha256, tensors }, values: new Float32Array(bytes.buffer) };
  } finally {
    file.close();
  }
};

/** Distances of all pairs, each set of weights once. */
export const compare = (all: readonly Weights[]): WeightComparison => {
  const distinct = [...new Map(all.map((weights) => [weights.ref.sha256, weights])).values()];
  const aligned = alignTensors(distinct.map(({ ref }) => ref));
  if ('why' in aligned) return aligned;
  const tensors = aligned.spans.map((span) => {
    const sums = new TensorSums(distinct.length);
    sums.add(
      distinct.map(({ values }, i) => values.subarray(span.starts[i]!, span.starts[i]! + span.values)),
    );
    return sums.result(span);
  });
  return { files: distinct.map(({ ref }) => ref.sha256), tensors };
};
