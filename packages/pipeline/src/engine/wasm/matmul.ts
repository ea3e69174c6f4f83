// A product with a transposed factor, which every gradient of a dense layer is, runs in a scalar loop in tfjs's wasm
// backend (0.6-2 GFLOP/s); a plain product runs in XNNPACK (17-31 GFLOP/s). So: transpose first, then the plain product.
// Needs nothing but tfjs's registry; the gradients are tested against the cpu backend (matmul.test.ts).
import {
  getKernel,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

interface MatMulBackend {
  disposeData(dataId: object): void;
}

const kernelOf = (name: string): KernelConfig => {
  const kernel = getKernel(name, 'wasm');
  if (!kernel) throw new Error(`tfjs's wasm backend has no kernel ${name}`);
  return kernel;
};

let replaced = false;

/** Replaces BatchMatMul of the wasm backend. Call it before the backend is initialised; a second call does nothing. */
export function replaceMatMul(): void {
  if (replaced) return;
  replaced = true;
  const plain = kernelOf('BatchMatMul');
  const transpose = kernelOf('Transpose');
  unregisterKernel('BatchMatMul', 'wasm');
  registerKernel({
    // With the stock kernel's setupFunc: it binds the C function that the stock kernelFunc calls.
    ...plain,
    kernelFunc(args) {
      const { a, b } = args.inputs as { a: TensorInfo; b: TensorInfo };
      const { transposeA, transposeB } = args.attrs as unknown as {
        transposeA: boolean;
        transposeB: boolean;
      };
      if (!transposeA && !transposeB) return plain.kernelFunc(args);
      const backend = args.backend as MatMulBackend;
      const turned: TensorInfo[] = [];
      const turn = (x: TensorInfo): TensorInfo => {
        const perm = x.shape.map((_, axis) => axis);
        perm.push(...perm.splice(-2).reverse());
        const out = transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as TensorInfo;
        turned.push(out);
        return out;
      };
      const product = plain.kernelFunc({
        inputs: { a: transposeA ? turn(a) : a, b: transposeB ? turn(b) : b },
        backend,
        attrs: { ...args.attrs, transposeA: false, transposeB: false },
      });
      for (const { dataId } of turned) backend.disposeData(dataId);
      return product;
    },
  });
}
