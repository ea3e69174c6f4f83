// What a file that was taken for an ONNX model really is, by its first bytes: the usual mistakes, each with its cure.
import { ModelFault } from './wire.ts';

const startsWith = (bytes: Uint8Array, text: string, offset = 0): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .subarray(offset, offset + text.length)
    .toString('latin1') === text;

/** Throws ModelFault for empty files, Git LFS pointers, pickles, archives and other models' formats. Pickles are never loaded. */
export const refuseForeign = (bytes: Uint8Array): void => {
  if (bytes.length === 0) throw new ModelFault('it is empty');
  if (startsWith(bytes, 'version https://git-lfs')) {
    throw new ModelFault(
      'it is a Git LFS pointer, not the file itself: run `git lfs pull` before the source package is made',
    );
  }
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5) {
    throw new ModelFault(
      'it is a Python pickle, which is never loaded because loading one runs code: export the model as ONNX',
    );
  }
  if (startsWith(bytes, 'PK\x03\x04')) {
    throw new ModelFault(
      'it is a zip archive (PyTorch and Keras save such files), not ONNX: export the model as ONNX',
    );
  }
  if (startsWith(bytes, '\x89HDF'))
    throw new ModelFault('it is an HDF5 file, not ONNX: export the model as ONNX');
  if (startsWith(bytes, '\x1f\x8b'))
    throw new ModelFault('it is compressed by gzip: name the decompressed file');
  if (startsWith(bytes, 'TFL3', 4)) throw new ModelFault('it is a TensorFlow Lite file, not ONNX');
  if (startsWith(bytes, 'GGUF')) throw new ModelFault('it is a GGUF file, not ONNX');
  if (startsWith(bytes, '{"', 8))
    throw new ModelFault('it is a safetensors file, which holds no graph: export the model as ONNX');
};
