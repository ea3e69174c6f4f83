// Rows of a file by number. A batch of a shuffled epoch is read in the order of the file; neighbours are read at once.
import type { StoredArray } from './data-array.ts';
import { sizeOf, valueFault } from './data-array.ts';
import { decode, type Values } from './element.ts';

/** Rows with fewer bytes than this between them are read at once: to copy 8 KiB costs about what a call costs. */
const gapBytes = 8_192;
/** Largest read of several rows at once. */
const runBytes = 2 ** 20;

export class StoredRows {
  readonly #array: StoredArray;
  /** Bytes of a record in the file, and values of a record as it is handed out. */
  readonly #stride: number;
  readonly #columns: number;
  #run = Buffer.alloc(0);

  constructor(array: StoredArray) {
    this.#array = array;
    this.#columns = sizeOf(array.shape.slice(1));
    this.#stride = (array.picked?.width ?? this.#columns) * array.type.bytes;
  }

  /** The rows as float32, each value × scale; they lie within the array. */
  read(rows: Int32Array, scale: number): Float32Array {
    const { type, bigEndian, picked, path } = this.#array;
    const width = picked?.width ?? this.#columns;
    const values = decode(type, this.#bytes(rows), bigEndian, (index, what) =>
      valueFault(path, rows[Math.floor(index / width)]! * width + (index % width), what),
    );
    const batch = new Float32Array(rows.length * this.#columns);
    if (picked) pick(batch, values, width, picked.columns, scale);
    else for (let i = 0; i < batch.length; i++) batch[i] = values[i]! * scale;
    return batch;
  }

  /** The bytes of the rows, one after the other. */
  #bytes(rows: Int32Array): Buffer {
    const { source, offset } = this.#array;
    const stride = this.#stride;
    const bytes = Buffer.from(new ArrayBuffer(rows.length * stride));
    const order = inFileOrder(rows);
    for (let from = 0; from < order.length; ) {
      const first = rows[order[from]!]!;
      let last = first;
      let to = from + 1;
      for (; to < order.length; to++) {
        const row = rows[order[to]!]!;
        if ((row - last - 1) * stride > gapBytes || (row - first + 1) * stride > runBytes) break;
        last = row;
      }
      if (to === from + 1) {
        const at = order[from]! * stride;
        source.fill(bytes.subarray(at, at + stride), offset + first * stride);
      } else {
        const run = this.#room((last - first + 1) * stride);
        source.fill(run, offset + first * stride);
        for (let i = from; i < to; i++) {
          const start = (rows[order[i]!]! - first) * stride;
          run.copy(bytes, order[i]! * stride, start, start + stride);
        }
      }
      from = to;
    }
    return bytes;
  }

  #room(length: number): Buffer {
    if (this.#run.length < length) this.#run = Buffer.alloc(length);
    return this.#run.subarray(0, length);
  }
}

/** Places in `rows`, by ascending row. As doubles row × 2^21 + place, which sort by value without a function. */
function inFileOrder(rows: Int32Array): Int32Array {
  if (rows.length > 2 ** 21) throw new RangeError(`a batch of ${rows.length} rows; at most ${2 ** 21}`);
  const keys = Float64Array.from(rows, (row, place) => row * 2 ** 21 + place);
  keys.sort();
  return Int32Array.from(keys, (key) => key % 2 ** 21);
}

function pick(batch: Float32Array, values: Values, width: number, columns: Int32Array, scale: number): void {
  for (let to = 0, start = 0; to < batch.length; start += width) {
    for (const column of columns) batch[to++] = values[start + column]! * scale;
  }
}
