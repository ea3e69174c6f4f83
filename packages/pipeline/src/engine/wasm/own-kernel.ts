// Kernels of our own on the wasm heap. One table serves the eager engine, where each is an ordinary tfjs kernel, and the
// replay of a recorded step, which calls them on planned addresses: so both compute the same bits by construction.
import type { DataType } from '@tensorflow/tfjs-core';

/** A tensor as far as a kernel is chosen by it. */
export interface Tensor {
  shape: number[];
  dtype: DataType;
}

/** By the names that tfjs gives a kernel's inputs; an input that is not there (no bias) is left out. */
export type Inputs = Record<string, Tensor>;
export type Attributes = Record<string, unknown>;

/** Bytes in the wasm heap: multiples of 8, as malloc gives them. */
export interface Addresses {
  inputs: Record<string, number>;
  outputs: number[];
  /** `scratchBytes` of memory that nobody else uses during the call; its contents do not matter. */
  scratch: number;
}

export interface OwnKernel {
  /** tfjs's kernel name. */
  name: string;
  /** Whether the own code is written for these inputs and attributes (shapes, dtypes, strides, dilations); else the stock kernel runs. */
  fits(inputs: Inputs, attrs: Attributes): boolean;
  /** Shape and dtype of each output. */
  outputs(inputs: Inputs, attrs: Attributes): Tensor[];
  /** Bytes of scratch memory that the call needs. */
  scratchBytes(inputs: Inputs, attrs: Attributes): number;
  /**
   * Binds shapes and attributes once; the answered function runs on addresses. An output never overlaps an input.
   * Needs the module to be open (module.ts).
   */
  bind(inputs: Inputs, attrs: Attributes): (addresses: Addresses) => void;
}
