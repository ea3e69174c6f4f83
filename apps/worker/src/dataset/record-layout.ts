// How the records of a data file lie in its decompressed bytes: enough to leave some out, without reading a value.
//   idx, npy: a head that says how many records, then records of equal size         csv, text: lines
import { Problem } from '@retraind/shared/wire/problems';
import type { ByteReader } from './byte-reader.ts';

export type RecordFormat = 'idx' | 'csv' | 'npy' | 'text';

/** Records of equal size behind a head that can be written anew for fewer of them. */
export interface FixedRecords {
  records: number;
  recordBytes: number;
  headFor: (records: number) => Buffer;
}

const cannot = (why: string): Problem => new Problem('invalid-data', why);

const idxValueBytes: Record<number, number> = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 };
const longestNpyHead = 65_536;

/** Reads an idx head: two zero bytes, type, rank, the sizes as big-endian 32-bit numbers. Source: yann.lecun.com/exdb/mnist. */
export const readIdxHead = async (reader: ByteReader): Promise<FixedRecords> => {
  const magic = await reader.take(4);
  const valueBytes = idxValueBytes[magic[2] ?? -1];
  const rank = magic[3] ?? 0;
  if (magic.length < 4 || magic[0] !== 0 || magic[1] !== 0 || valueBytes === undefined || rank === 0) {
    throw cannot('it is no idx file');
  }
  const sizes = await reader.take(4 * rank);
  if (sizes.length < 4 * rank) throw cannot('its head is cut off');
  let recordBytes = valueBytes;
  for (let i = 1; i < rank; i++) recordBytes *= sizes.readUInt32BE(4 * i);
  return {
    records: sizes.readUInt32BE(0),
    recordBytes,
    headFor: (records) => {
      const head = Buffer.concat([magic, sizes]);
      head.writeUInt32BE(records, 4);
      return head;
    },
  };
};

/** Reads the head of a .npy of version 1–3, row-major, of plain numbers. Source: NEP 1. */
export const readNpyHead = async (reader: ByteReader): Promise<FixedRecords> => {
  const start = await reader.take(8);
  if (start.length < 8 || start.toString('latin1', 0, 6) !== '\x93NUMPY') throw cannot('it is no npy file');
  const isLong = start[6]! > 1;
  const length = await reader.take(isLong ? 4 : 2);
  const bytes = isLong ? length.readUInt32LE(0) : length.readUInt16LE(0);
  if (bytes > longestNpyHead) throw cannot('its head is too long');
  const text = (await reader.take(bytes)).toString('utf8');
  const value = /'descr':\s*'[<>|=]?[bhilqefdgBHILQuif?]?(\d{1,3})'/.exec(text);
  const shape = /'shape':\s*\((\d+)\s*,?([\d\s,]*)\)/.exec(text);
  if (!value || !shape || !/'fortran_order':\s*False/.test(text))
    throw cannot('its values are no rows of plain numbers');
  const rest = shape[2]!
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number);
  return {
    records: Number(shape[1]),
    recordBytes: rest.reduce((product, size) => product * size, Number(value[1])),
    headFor: (records) => {
      const dict = text
        .trimEnd()
        .replace(shape[0], `'shape': (${[records, ...rest].join(', ')}${rest.length === 0 ? ',' : ''})`);
      // Head and values together begin at a multiple of 64, the head ends with a line break.
      const used = start.length + length.length + dict.length + 1;
      const padded = `${dict}${' '.repeat((64 - (used % 64)) % 64)}\n`;
      const size = Buffer.alloc(length.length);
      if (isLong) size.writeUInt32LE(padded.length);
      else size.writeUInt16LE(padded.length);
      return Buffer.concat([start, size, Buffer.from(padded, 'latin1')]);
    },
  };
};
