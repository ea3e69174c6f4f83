// The wire format of protocol buffers, read only, with the file's own length as the limit: no length is believed before it is
// compared with what is left. Source: protobuf.dev, "Encoding".
import { ModelFault } from '../formats/model-fault.ts';

export { ModelFault };

export interface WireField {
  number: number;
  /** Varint as a bigint; length-delimited, fixed32 and fixed64 as their bytes. */
  value: bigint | Uint8Array;
}

const maxFields = 50_000_000;

const varint = (bytes: Uint8Array, start: number): { value: bigint; next: number } => {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new ModelFault('it ends in the middle of a number: the file is truncated');
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: start + i + 1 };
  }
  throw new ModelFault('it holds a number longer than 64 bits: it is no protocol buffer');
};

/** The fields of one message in order. `where` names the message in faults. */
export function* fieldsOf(bytes: Uint8Array, where: string): Generator<WireField> {
  let at = 0;
  for (let count = 0; at < bytes.length; count++) {
    if (count > maxFields) throw new ModelFault(`${where} has more than ${maxFields} fields`);
    const tag = varint(bytes, at);
    const number = Number(tag.value >> 3n);
    at = tag.next;
    const kind = Number(tag.value & 7n);
    if (number < 1 || number > 536_870_911) throw new ModelFault(`${where} is no protocol buffer`);
    if (kind === 0) {
      const read = varint(bytes, at);
      at = read.next;
      yield { number, value: read.value };
      continue;
    }
    let length: number;
    if (kind === 2) {
      const read = varint(bytes, at);
      at = read.next;
      if (read.value > BigInt(bytes.length - at)) {
        throw new ModelFault(
          `${where} says ${read.value} bytes where ${bytes.length - at} are left: the file is truncated, or its header lies`,
        );
      }
      length = Number(read.value);
    } else if (kind === 1 || kind === 5) length = kind === 1 ? 8 : 4;
    else throw new ModelFault(`${where} is no protocol buffer (wire type ${kind})`);
    if (at + length > bytes.length) throw new ModelFault(`${where} ends too early: the file is truncated`);
    yield { number, value: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** Values of a repeated integer field, packed or not. */
export const integersOf = (value: WireField['value']): bigint[] => {
  if (typeof value === 'bigint') return [BigInt.asIntN(64, value)];
  const found: bigint[] = [];
  for (let at = 0; at < value.length; ) {
    const read = varint(value, at);
    found.push(BigInt.asIntN(64, read.value));
    at = read.next;
  }
  return found;
};

export const textOf = (value: WireField['value'], where: string): string => {
  if (typeof value === 'bigint') throw new ModelFault(`${where} is a number where a text should be`);
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('utf8');
};

export const bytesOf = (value: WireField['value'], where: string): Uint8Array => {
  if (typeof value === 'bigint') throw new ModelFault(`${where} is a number where bytes should be`);
  return value;
};
