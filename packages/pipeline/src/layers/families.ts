// Which family a tfjs layer belongs to. A new family is a file beside this one and a line here.
import { activationFamily } from './activation.ts';
import { batchNormFamily } from './batch-norm.ts';
import { conv2dFamily } from './conv2d.ts';
import { denseFamily } from './dense.ts';
import { depthwiseConv2dFamily } from './depthwise-conv2d.ts';
import { dropoutFamily } from './dropout.ts';
import { embeddingFamily } from './embedding.ts';
import type { Family } from './family.ts';
import { layerNormFamily } from './layer-norm.ts';
import { averagePoolFamily, globalAveragePoolFamily, maxPoolFamily } from './pooling.ts';
import { gruFamily, lstmFamily, simpleRnnFamily } from './recurrent.ts';
import { flattenFamily, reshapeFamily } from './reshape.ts';

/** By tfjs's class name. A layer that is not here trains by tfjs's own code, and cannot be written as ONNX. */
export const families: Readonly<Record<string, Family>> = {
  Activation: activationFamily,
  AveragePooling2D: averagePoolFamily,
  BatchNormalization: batchNormFamily,
  Conv2D: conv2dFamily,
  Dense: denseFamily,
  DepthwiseConv2D: depthwiseConv2dFamily,
  Dropout: dropoutFamily,
  Embedding: embeddingFamily,
  Flatten: flattenFamily,
  GRU: gruFamily,
  GlobalAveragePooling2D: globalAveragePoolFamily,
  LayerNormalization: layerNormFamily,
  LSTM: lstmFamily,
  MaxPooling2D: maxPoolFamily,
  Reshape: reshapeFamily,
  SimpleRNN: simpleRnnFamily,
};
