// Fields of a protocol buffer in a file, told by their places: a tensor of gigabytes is stepped over, not read. The reader in memory
// is onnx/wire.ts. No length is believed before it is compared with what is left. Source: protobuf.dev, "Encoding".
import type { FileBytes } from './file-bytes.ts';
import { ModelFault } from './model-fault.ts';
import { readVarint } from './pieces.ts';

export interface Range {
  begin: number;
  end: number;
}

export interface PlacedField {
  number: number;
  /** Varint: its value. Everything else: null, and the bytes lie in the range. */
  value: bigint | null;
  begin: number;
  end: number;
}

/** Texts of a model: names, paths. */
const maxTextBytes = 65_536;
const maxFields = 5_000_000;

/** Counts over one file, so that many small messages are no way around the limit. */
export interface Budget {
  fields: number;
}

export function* placedFields(
  file: FileBytes,
  range: Range,
  where: string,
  budget: Budget,
): Generator<PlacedField> {
  for (let at = range.begin; at < range.end; ) {
    if (++budget.fields > maxFields) throw new ModelFault(`it has more than ${maxFields} fields`);
    const tag = readVarint(file, at, range.end);
    const number = Number(tag.value >> 3n);
    const kind = Number(tag.value & 7n);
    if (number < 1 || number > 536_870_911)
      throw new ModelFault(`${where} (byte ${at}) is no protocol buffer`);
    const begin = tag.next;
    if (kind === 0) {
      const { value, next } = readVarint(file, begin, range.end);
      yield { number, value, begin, end: next };
      at = next;
      continue;
    }
    let start = begin;
    let length = kind === 1 ? 8 : 4;
    if (kind === 2) {
      const said = readVarint(file, begin, range.end);
      start = said.next;
      if (said.value > BigInt(range.end - start)) {
        throw new ModelFault(
          `${where} says ${said.value} bytes at byte ${begin} where ${range.end - start} are left: the file is truncated, or its header lies`,
        );
      }
      length = Number(said.value);
    } else if (kind !== 1 && kind !== 5) {
      throw new ModelFault(`${where} (byte ${at}) is no protocol buffer (wire type ${kind})`);
    }
    if (start + length > range.end) throw new ModelFault(`${where} ends too early: the file is truncated`);
    yield { number, value: null, begin: start, end: start + length };
    at = start + length;
  }
}

/** The range of a field that holds bytes, a text or a message. */
export const rangeOf = (field: PlacedField, where: string): Range => {
  if (field.value !== null) throw new ModelFault(`${where} is a number where bytes should be`);
  return field;
};

export const textAt = (file: FileBytes, field: PlacedField, where: string): string => {
  const { begin, end } = rangeOf(field, where);
  if (end - begin > maxTextBytes) throw new ModelFault(`${where} has a text of ${end - begin} bytes`);
  return file.bytes(begin, end - begin).toString('utf8');
};

/** A repeated integer field, packed or not. */
export function* integersAt(file: FileBytes, field: PlacedField): Generator<bigint> {
  if (field.value !== null) {
    yield BigInt.asIntN(64, field.value);
    return;
  }
  for (let at = field.begin; at < field.end; ) {
    const read = readVarint(file, at, field.end);
    yield BigInt.asIntN(64, read.value);
    at = read.next;
  }
}
