// The formats of model files. Adding one is one file and one line here; formats.test.ts runs over each.
import { refuseForeign } from '../onnx/magic.ts';
import { FileBytes } from './file-bytes.ts';
import { gnubgBinary } from './gnubg-binary.ts';
import { gnubgText } from './gnubg-text.ts';
import { ModelFault } from './model-fault.ts';
import type { ModelFile, ModelFormat } from './model-file.ts';
import { onnx } from './onnx.ts';
import { safetensors } from './safetensors.ts';

/** ONNX claims whatever no other does: it has no magic. */
export const formats: readonly ModelFormat[] = [safetensors, gnubgText, gnubgBinary, onnx];

const headBytes = 512;

/** The file's first bytes. Throws ModelFault where it is no plain file, Problem `not-found` where it is not there. */
export const headOf = (path: string): Buffer => {
  const file = new FileBytes(path);
  try {
    return file.bytes(0, Math.min(headBytes, file.size));
  } finally {
    file.close();
  }
};

export const formatOf = (head: Uint8Array): ModelFormat => formats.find(({ claims }) => claims(head))!;

/**
 * Opens a model file of whichever format. Every fault is a ModelFault that names the file; what is no model but often taken for one
 * (pickles, zips of torch, HDF5, Git LFS pointers, GGUF) is refused by what it is, and nothing of it is ever run.
 */
export const openModelFile = (path: string): ModelFile => {
  const named = <T>(deed: () => T): T => {
    try {
      return deed();
    } catch (error) {
      if (error instanceof ModelFault) throw new ModelFault(`${path}: ${error.detail}`, error.hint);
      throw error;
    }
  };
  return named(() => {
    const head = headOf(path);
    const format = formatOf(head);
    if (format === onnx) refuseForeign(head);
    const file = format.open(path);
    return { ...file, read: (index, position, into) => named(() => file.read(index, position, into)) };
  });
};
