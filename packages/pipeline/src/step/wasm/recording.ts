// What recording sees of a function: a list of kernel runs over numbered data.
import type * as tf from '@tensorflow/tfjs-core';
import type { DataType, KernelFunc } from '@tensorflow/tfjs-core';
import type { Group } from './elementwise.ts';

/** Where data come from: fed, a variable, made by a kernel run, or anything else, whose bytes are then fixed. */
export type Origin =
  | { kind: 'input'; name: string }
  | { kind: 'variable'; variable: tf.Variable }
  | { kind: 'made' }
  | { kind: 'constant'; bytes: Uint8Array };

/** Data in the heap, by number in the order in which they were first met; several tensors may share them. */
export interface Stored {
  origin: Origin;
  /** Values, not bytes. */
  size: number;
  dtype: DataType;
}

export interface TensorUse {
  data: number;
  shape: number[];
  dtype: DataType;
}

/** An argument of a C function: a number, a tensor's id, or bytes (a shape) that it is given the address of. */
export type Argument = number | { data: number } | { bytes: Uint8Array };

export interface CCall {
  name: string;
  args: Argument[];
}

export type Operands = Record<string, TensorUse | TensorUse[] | null>;

/** One run of a kernel, as tfjs asked for it; kernels that it runs inside belong to it. */
export interface KernelRun {
  name: string;
  kernelFunc: KernelFunc;
  /** As tfjs hands them over: by name, or as an array. */
  inputs: Operands | (TensorUse | null)[];
  attrs: Record<string, unknown>;
  outputs: TensorUse[];
  /** Data that it asked the backend for, in order: outputs and what it needed on the way. */
  made: number[];
  calls: CCall[];
  /** Whether JavaScript read or wrote values: the C calls alone are not the whole of it. */
  hostWork: boolean;
  /** Bytes of each output, kept where all inputs are constants: then so are they. */
  fixed: Uint8Array[] | null;
  /** Where it stands for a chain of element-by-element runs. */
  group?: Group;
}

export interface Recording {
  stored: Stored[];
  runs: KernelRun[];
  result: TensorUse;
  /** Bytes of the result. */
  resultBytes: Uint8Array;
  /** The data that each variable holds at the end, where the function assigned to it. */
  written: Map<tf.Variable, number>;
}

/** The tensors that a run is given, flat. */
export const inputsOf = (run: KernelRun): TensorUse[] =>
  Object.values(run.inputs)
    .flat()
    .filter((use) => use !== null);
