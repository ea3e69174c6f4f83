// Arrays whose first dimension is the fastest (Fortran order) hold a column of all records together: rewritten with each
// record together, in the byte order of the file, a block of records at a time.
import { RecipeFault } from '../fault.ts';
import type { ByteSource } from './byte-source.ts';
import { type Layout, sizeOf } from './data-array.ts';

/** Bytes of records that are put together at once. */
const blockBytes = 2 ** 24;

/** Values a record: the order of the columns is kept in memory. */
const maxColumns = 2 ** 24;

/** For each value of a record in row-major order: which of the file's columns holds it. */
function columnOrder(record: readonly number[]): Float64Array {
  const order = new Float64Array(sizeOf(record));
  const index = record.map(() => 0);
  for (let column = 0; column < order.length; column++) {
    let stride = 1;
    for (let axis = 0; axis < record.length; axis++) {
      order[column] = order[column]! + index[axis]! * stride;
      stride *= record[axis]!;
    }
    for (let axis = record.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1;
      if (index[axis]! < record[axis]!) break;
      index[axis] = 0;
    }
  }
  return order;
}

/** Hands the array's bytes to `write`, record after record. */
export function rewriteByRecord(source: ByteSource, layout: Layout, write: (bytes: Buffer) => void): void {
  const { shape, type, offset } = layout;
  const [rows = 0, ...record] = shape;
  if (sizeOf(record) > maxColumns) {
    throw new RecipeFault(
      `${source.path}: a record of ${sizeOf(record)} values in Fortran order; at most ${maxColumns} are read`,
      'save it in C order (numpy.ascontiguousarray)',
    );
  }
  const order = columnOrder(record);
  const block = Math.max(1, Math.min(rows, Math.floor(blockBytes / (order.length * type.bytes))));
  for (let first = 0; first < rows; first += block) {
    const count = Math.min(block, rows - first);
    const bytes = Buffer.from(new ArrayBuffer(count * order.length * type.bytes));
    const part = Buffer.from(new ArrayBuffer(count * type.bytes));
    for (let column = 0; column < order.length; column++) {
      source.fill(part, offset + (order[column]! * rows + first) * type.bytes);
      scatter(part, bytes, column, order.length, type.bytes);
    }
    write(bytes);
  }
}

/** Puts the values of `column` at their places in records of `columns` values of `width` bytes each. */
function scatter(column: Buffer, records: Buffer, at: number, columns: number, width: number): void {
  const Words = width === 1 ? Uint8Array : width === 2 ? Uint16Array : Uint32Array;
  const from = new Words(
    column.buffer as ArrayBuffer,
    column.byteOffset,
    column.length / Words.BYTES_PER_ELEMENT,
  );
  const to = new Words(
    records.buffer as ArrayBuffer,
    records.byteOffset,
    records.length / Words.BYTES_PER_ELEMENT,
  );
  const words = width / Words.BYTES_PER_ELEMENT;
  for (let row = 0; row * words < from.length; row++) {
    for (let word = 0; word < words; word++) {
      to[(row * columns + at) * words + word] = from[row * words + word]!;
    }
  }
}
