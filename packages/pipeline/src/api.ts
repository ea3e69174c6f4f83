// What `import … from 'retrain-tfjs'` gives (packages/pipeline/README.md). The one barrel of the house: a recipe sees one
// module, whatever files it is made of.
export type { CsvOptions } from './data/csv.ts';
export { openCsv, readCsv } from './data/csv-table.ts';
export type { DataArray, StoredArray } from './data/data-array.ts';
export { type IdxArray, openIdx, readIdx } from './data/idx.ts';
export { openNpy, readNpy } from './data/npy.ts';
export { openNpz, readNpz } from './data/npz.ts';
export type { MemorySet, RecordSet, StoredSet } from './data/record-set.ts';
export { gather, type Inputs, inputs, type Labels, labels, oneHot, targets } from './data/records.ts';
export { openSafetensors, readSafetensors } from './data/safetensors.ts';
// Only for main.ts: open the engine before the recipe's own code runs.
export { openEngine, openOtherEngine } from './engine/engines.ts';
export { RecipeFault } from './fault.ts';
export type { EarlyStop } from './fit/early-stop.ts';
export { accuracy, evaluate, type Measures } from './fit/evaluate.ts';
export { type FitOptions, type FitResult, fit } from './fit/fit.ts';
export { AdamW, optimizer } from './fit/optimizer.ts';
export { constantRate, cosineRate, type Schedule, steppedRate, warmUp } from './fit/schedule.ts';
export { activation } from './layers/activation.ts';
export { batchNorm } from './layers/batch-norm.ts';
export { conv2d } from './layers/conv2d.ts';
export { dense } from './layers/dense.ts';
export { depthwiseConv2d } from './layers/depthwise-conv2d.ts';
export { dropout } from './layers/dropout.ts';
export { embedding } from './layers/embedding.ts';
export { layerNorm } from './layers/layer-norm.ts';
export { averagePool, globalAveragePool, maxPool } from './layers/pooling.ts';
export { gru, lstm, simpleRnn } from './layers/recurrent.ts';
export { flatten, reshape } from './layers/reshape.ts';
export { writeMetrics } from './metrics.ts';
export { loadModel, saveModel } from './model-file.ts';
export { type OnnxOptions, onnxBytes, saveOnnx } from './onnx/write.ts';
export { epochOrder, generator } from './random.ts';
export { run } from './run.ts';
export {
  type Batch,
  compileStep,
  type HostTensor,
  type StepOptions,
  type Tensors,
  type TrainingStep,
} from './step/step.ts';
export * as tf from './tf.ts';
