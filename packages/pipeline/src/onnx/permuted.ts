/** Row-major values of `shape` [a, b, …] with the axes in another order: axis i of the result is axis `order[i]`. */
export function permuted(
  values: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, length) => size * length, 1));
  const to = order.map((axis) => shape[axis]!);
  const from = order.map((axis) => strides[axis]!);
  const result = new Float32Array(values.length);
  const at = order.map(() => 0);
  for (let i = 0, source = 0; i < result.length; i++) {
    result[i] = values[source]!;
    for (let axis = at.length - 1; axis >= 0; axis--) {
      source += from[axis]!;
      at[axis]! += 1;
      if (at[axis]! < to[axis]!) break;
      source -= from[axis]! * to[axis]!;
      at[axis] = 0;
    }
  }
  return result;
}
