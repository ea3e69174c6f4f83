// How one kernel run is replayed: by an own kernel, by the C calls that were recorded, or by the kernel itself.

import { NotReplayable } from '../not-replayable.ts';
import { cCalls } from './c-calls.ts';
import { elementwise } from './elementwise.ts';
import type { HeapBackend } from './heap.ts';
import { kernelItself } from './kernel-itself.ts';
import { own } from './own.ts';
import type { KernelRun, Stored } from './recording.ts';
import { strided } from './strided.ts';

/** Where everything lies once a program is bound to memory. */
export interface Layout {
  address(data: number): number;
  /** The number by which C knows the data. */
  id(data: number): number;
  /** Address of bytes that were given to `Pool.add`. */
  constant(offset: number): number;
  scratch: number;
}

/** Bytes that never change: shapes, constants. */
export interface Pool {
  /** Answers an offset; equal bytes share one. */
  add(bytes: Uint8Array): number;
}

export interface Lowered {
  /** For the profile: how it is done. */
  by: 'loop' | 'copy' | 'own' | 'C' | 'kernel';
  scratchBytes: number;
  /** Whether an output of its size may take the place of an input: each value is read before it is written over. */
  overwrites(data: number): boolean;
  bind(layout: Layout): () => void;
}

/** Kernels whose outputs' shapes depend on values. */
const shapedByValues = new Set([
  'Where',
  'Unique',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'SparseFillEmptyRows',
  'SparseReshape',
  'StringSplit',
  'StringNGrams',
  'RaggedRange',
  'RaggedGather',
  'RaggedTensorToTensor',
]);

export function lower(backend: HeapBackend, run: KernelRun, stored: Stored[], pool: Pool): Lowered {
  if (shapedByValues.has(run.name)) throw new NotReplayable(`${run.name}'s output has no fixed shape`);
  return (
    elementwise(backend, run) ??
    own(backend, run) ??
    strided(backend, run) ??
    cCalls(backend, run, stored, pool) ??
    kernelItself(backend, run, stored)
  );
}
