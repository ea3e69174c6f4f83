// The recipe model of a classifier whose data files are IDX, as a control file would declare it.
import type { DataFile, RecipeModel } from '@retraind/shared/recipe/recipe';

const idx = (path: string, scale: number, recordShape: number[] | null): DataFile => ({
  path,
  format: 'idx',
  scale,
  recordShape,
});

/** `train-…` and `test-…` of `writeFashion`; `shape` of a record as the net takes it. */
export const classifier = (options: { name: string; shape: number[]; margin: number }): RecipeModel => ({
  name: options.name,
  file: { kind: 'tree', path: `${options.name}.onnx` },
  net: null,
  output: `${options.name}.onnx`,
  comparison: 'statistical',
  seed: null,
  readsShipped: false,
  license: 'Expat',
  task: 'classification',
  trainingData: 'data',
  trainingInputs: idx('train-images.idx', 1 / 255, options.shape),
  trainingTargets: idx('train-labels.idx', 1, null),
  evaluationData: 'data',
  evaluationInputs: idx('test-images.idx', 1 / 255, options.shape),
  evaluationTargets: idx('test-labels.idx', 1, null),
  metric: 'accuracy',
  margin: options.margin,
  claimedMetric: null,
  converter: null,
  slices: null,
  securityCritical: false,
  runs: { min: 3, max: 10 },
});
