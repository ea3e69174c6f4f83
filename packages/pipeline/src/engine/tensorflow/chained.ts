// Some kernels of tfjs-node (Prelu, Exp, ArgMax …) call operations as methods of a tensor, which only the whole union of tfjs
// registers. These are the ones that they call.
import * as tf from '@tensorflow/tfjs-core';

type Chained = Record<string, (this: tf.Tensor, other: tf.Tensor) => tf.Tensor>;

export function chainOperations(): void {
  const methods = tf.Tensor.prototype as unknown as Chained;
  for (const [name, operation] of Object.entries({ add: tf.add, sub: tf.sub, mul: tf.mul })) {
    methods[name] ??= function (other) {
      return operation(this, other);
    };
  }
  methods.toFloat ??= function () {
    return tf.cast(this, 'float32');
  };
  methods.toInt ??= function () {
    return tf.cast(this, 'int32');
  };
}
