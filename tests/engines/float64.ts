// The kernel cases in double precision: tfjs's plain JavaScript backend stores its numbers in Float32Array, so with another
// array under that name, taken before tfjs loads, all its arithmetic is in float64. Prints a Reference (reference.ts) as JSON.
// Each gradient is checked here against central differences, which float32 is too coarse for.
import assert from 'node:assert/strict';

globalThis.Float32Array = Float64Array as unknown as Float32ArrayConstructor;
const tf = await import('@tensorflow/tfjs-core');
await import('@tensorflow/tfjs-layers'); // registers the gradients
const { caseValues, drawnInputs, scalarOf } = await import('./case-values.ts');
const { kernelCases } = await import('./kernel-cases.ts');
const { cpu } = await import('@retraind/pipeline/engine/cpu');
await cpu.open();
// Node's own test of a Float32Array looks at the object's innards.
tf.env().platform.isTypedArray = (values): values is Float32Array => ArrayBuffer.isView(values);
assert.equal(tf.scalar(1 / 3).dataSync()[0], 1 / 3, 'numbers are not in double precision');

const h = 1e-6;
const answers: Record<string, unknown> = {};
for (const kernel of kernelCases) {
  const values = await caseValues(tf, kernel);
  const inputs = drawnInputs(kernel);
  const at = (moved: number[][]): number =>
    tf.tidy(
      () =>
        scalarOf(
          tf,
          kernel,
          moved.map((numbers, i) => tf.tensor(numbers, [...kernel.inputs[i]!])),
        ).dataSync()[0]!,
    );
  for (const [i, numbers] of inputs.entries()) {
    // A few of each input: first, last and one between.
    for (const j of new Set([0, Math.floor(numbers.length / 3), numbers.length - 1])) {
      const moved = (by: number): number[][] =>
        inputs.map((all, k) => (k === i ? all.map((x, l) => (l === j ? x + by : x)) : all));
      const slope = (at(moved(h)) - at(moved(-h))) / (2 * h);
      const gradient = values.gradients[i]![j]!;
      assert.ok(
        Math.abs(slope - gradient) <= 1e-5 * Math.max(1, Math.abs(slope)),
        `${kernel.name}: gradient ${j} of input ${i} is ${gradient}, central difference ${slope}`,
      );
    }
  }
  answers[kernel.name] = values;
}

process.env.RETRAIN_SEED = '1';
const api = await import('@retraind/pipeline/api');
const { eagerStep } = await import('@retraind/pipeline/step/step');
const { netCases, optimizerNames } = await import('./net-cases.ts');
const { told } = await import('./net-story.ts');
const nets: Record<string, unknown> = {};
for (const netCase of netCases) {
  for (const optimizer of optimizerNames) {
    nets[`${netCase.name}, ${optimizer}`] = await told(api, netCase, optimizer, eagerStep);
  }
}
process.stdout.write(JSON.stringify({ kernels: answers, nets }));
