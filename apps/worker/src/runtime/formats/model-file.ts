// What every format of model files gives: tensors in one order, read by position, so that memory does not grow with the file.
import { createHash } from 'node:crypto';
import type { Dtype } from './dtype.ts';

export interface TensorInfo {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  /** Length of its values in bytes. */
  bytes: number;
}

/** Hidden units of a layer: everything that is numbered by them. Permuting all of it alike leaves the function unchanged. */
export interface Hidden {
  width: number;
  /** Tensor (by name) and the axis that runs over the units. */
  uses: { tensor: string; axis: number }[];
}

/** Layers in a row; the hidden units of the first come first. */
export type Chain = Hidden[];

export interface ModelFile {
  format: string;
  path: string;
  /** Sorted by name (UTF-16 code units); no name twice. */
  tensors: readonly TensorInfo[];
  /** Digest of what is computed besides the tensors (nodes of a graph); null where a file holds tensors only. */
  structureSha256: string | null;
  /** Whether it computes with weights of 8 bits or less, stored as integers; null where that is not known. */
  quantised: boolean | null;
  /** Chains of dense layers, none where the format does not say how tensors hang together. */
  chains: readonly Chain[];
  /** Fills `into` with the values of tensor `index` from byte `position` on: little-endian, row-major. */
  read(index: number, position: number, into: Uint8Array): void;
  close(): void;
}

export interface ModelFormat {
  name: string;
  /** Whether the file's first bytes (up to 512) are this format's. ONNX has no magic, so it comes last. */
  claims(head: Uint8Array): boolean;
  /** Reads the header. Throws ModelFault. The caller closes what it got. */
  open(path: string): ModelFile;
}

const chunkBytes = 2 ** 20;

/**
 * sha256 over the tensors in order: a line `tensor <name as JSON> <dtype> <shape> <sha256 of the bytes>` each. How the container
 * orders, aligns or packs them, and its metadata, do not count: gnubg's text and binary files of the same nets have one digest.
 */
export const tensorsDigest = (file: ModelFile): string => {
  const chunk = Buffer.alloc(chunkBytes);
  const all = createHash('sha256');
  file.tensors.forEach(({ name, dtype, shape, bytes }, index) => {
    const hash = createHash('sha256');
    for (let at = 0; at < bytes; at += chunkBytes) {
      const part = chunk.subarray(0, Math.min(chunkBytes, bytes - at));
      file.read(index, at, part);
      hash.update(part);
    }
    all.update(`tensor ${JSON.stringify(name)} ${dtype} ${shape.join('x')} ${hash.digest('hex')}\n`);
  });
  return all.digest('hex');
};

/** Order of names that no locale changes. */
export const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
