// What a family of layers is: how it computes, in training and after, and how it is written as ONNX. One file a family, one
// line in the table (families.ts).
import type * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import type { Draft } from '../onnx/draft.ts';

export type Layer = Sequential['layers'][number];

/** The options that every factory takes. */
export interface FirstLayer {
  /** Shape of a record, or its length: needed at the first layer of a net only. */
  inputs?: number | readonly number[];
}

/** One pass through a net. */
export interface Pass {
  /** Whether dropout drops, and batch norm takes the batch's own statistics (and moves its averages). */
  training: boolean;
  /**
   * Whether the rows of the batch run backwards (RETRAIN_NUMERICS=2): what is random a row must then meet the same record.
   */
  backwards?: boolean;
  /** Leave this layer's activation out: what a loss from logits asks of the last layer. */
  logits?: boolean;
}

export interface Family {
  /** Why a layer of this class is not computed here, e.g. `has the activation 'elu'`; null where it is. */
  refusal(layer: Layer): string | null;
  /** Variables beside the layer's weights that a step moves, and a checkpoint must hold. */
  state?(layer: Layer): tf.Variable[];
  /** The layer's outputs for x, [N, …]. Its weights move only by what `pass.training` says of batch norm. */
  forward(layer: Layer, x: tf.Tensor, pass: Pass): tf.Tensor;
  /** Draws the layer's nodes: takes the draft's current value, leaves its own. */
  draw(layer: Layer, draft: Draft): void;
}

/** tfjs's settings for the first layer of a net. */
export const inputShape = ({ inputs }: FirstLayer): { inputShape?: number[] } =>
  inputs === undefined ? {} : { inputShape: typeof inputs === 'number' ? [inputs] : [...inputs] };

/** A layer's weight as it is now. */
export function weight(layer: Layer, index: number): tf.Variable {
  return layer.weights[index]!.read() as tf.Variable;
}

/** A setting of a layer. tfjs types them as anything. */
export const setting = <T>(layer: Layer, name: string): T => layer.getConfig()[name] as T;
