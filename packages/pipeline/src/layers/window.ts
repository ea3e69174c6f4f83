// What convolutions and pools share: a window that moves over the places of an image.
import type { Attribute } from '../onnx/draft.ts';
import { type Layer, setting } from './family.ts';

/** `same`: the output has ceil(length / stride) places, zeros around; `valid`: the window stays inside. */
export type Padding = 'same' | 'valid';

/** Height and width, or one number for both. */
export type Pair = number | readonly [number, number];

export const pair = (value: Pair): [number, number] =>
  typeof value === 'number' ? [value, value] : [value[0], value[1]];

export interface Window {
  size: [number, number];
  strides: [number, number];
  dilation: [number, number];
  padding: Padding;
}

/** The window of a tfjs layer whose size is the setting `sizeName`. */
export function windowOf(layer: Layer, sizeName: 'kernelSize' | 'poolSize'): Window {
  return {
    size: pair(setting<Pair>(layer, sizeName)),
    strides: pair(setting<Pair>(layer, 'strides')),
    dilation: pair(setting<Pair | null>(layer, 'dilationRate') ?? 1),
    padding: setting<Padding>(layer, 'padding'),
  };
}

/** Why the window is none of ours. */
export function windowRefusal(layer: Layer): string | null {
  const padding = setting<string>(layer, 'padding');
  if (padding !== 'same' && padding !== 'valid') return `has the padding '${padding}'`;
  return setting(layer, 'dataFormat') === 'channelsFirst' ? 'has its channels first' : null;
}

/**
 * ONNX's attributes of the window over places of `lengths`: pads as numbers, as TensorFlow takes `same` (the odd zero goes
 * behind), since operators differ in how they take auto_pad.
 */
export function windowAttributes(window: Window, lengths: readonly number[]): Record<string, Attribute> {
  const { size, strides, dilation, padding } = window;
  const pads = size.map((length, axis) => {
    if (padding === 'valid') return 0;
    const places = Math.ceil(lengths[axis]! / strides[axis]!);
    const reach = (places - 1) * strides[axis]! + (length - 1) * dilation[axis]! + 1;
    return Math.max(0, reach - lengths[axis]!);
  });
  const before = pads.map((zeros) => Math.floor(zeros / 2));
  return {
    kernel_shape: size,
    strides,
    pads: [...before, ...pads.map((zeros, axis) => zeros - before[axis]!)],
  };
}
