// A data file without a tenth of its records: in each full ten the one that the job's seed draws, so that files of equally many
// records lose the same ones. Streamed; what was gzip stays gzip.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Problem } from '@retraind/shared/wire/problems';
import { compressionOf, decompressed } from '../compression.ts';
import { ByteReader } from './byte-reader.ts';
import { type FixedRecords, type RecordFormat, readIdxHead, readNpyHead } from './record-layout.ts';

/** Of so many records one is withheld; a last ten that is not full keeps all. */
export const withheldOneOf = 10;

/** Bytes of records that are worked on at a time, about. */
const stretchBytes = 256 * 1024;
const longestLine = 2 ** 24;
/** The first line of a csv names its columns. */
const headLines = { csv: 1, text: 0 } as const;

/** Whether record `index` (from 0) of a file with `records` is withheld under this job seed. */
export const drawFor = (jobSeed: string): ((index: number, records: number) => boolean) => {
  let ten = -1;
  let drawn = 0;
  return (index, records) => {
    const its = Math.floor(index / withheldOneOf);
    if ((its + 1) * withheldOneOf > records) return false;
    if (its !== ten) {
      ten = its;
      drawn =
        createHash('sha256').update(`${jobSeed}/withheld/${its}`).digest().readUInt32BE(0) % withheldOneOf;
    }
    return index % withheldOneOf === drawn;
  };
};

/** How many of `records` are withheld. */
export const withheldOf = (records: number): number => Math.floor(records / withheldOneOf);

/** Records of a file; a Problem `invalid-data` says why it has none that can be taken. */
export const countRecords = async (path: string, format: RecordFormat): Promise<number> => {
  const source = await decompressed(path);
  try {
    if (format === 'csv' || format === 'text') {
      let lines = 0;
      for await (const _ of linesOf(source.stream)) lines += 1;
      return Math.max(0, lines - headLines[format]);
    }
    const { records, recordBytes } = await headOf(new ByteReader(source.stream), format);
    if (recordBytes === 0) throw new Problem('invalid-data', 'its records are empty');
    return records;
  } finally {
    source.close();
  }
};

/** Writes the file of so many records without those that are drawn to `target`, a new file, which a failure leaves half-written. */
export const shorten = async (
  path: string,
  target: string,
  format: RecordFormat,
  records: number,
  jobSeed: string,
): Promise<void> => {
  const isDrawn = drawFor(jobSeed);
  const compression = await compressionOf(path);
  if (compression !== null && compression !== 'gzip') {
    throw new Problem('invalid-data', `it is compressed by ${compression}, which is not written here`);
  }
  const source = await decompressed(path);
  try {
    const kept =
      format === 'csv' || format === 'text'
        ? keptLines(source.stream, format, records, isDrawn)
        : keptRecords(new ByteReader(source.stream), format, records, isDrawn);
    const sink = createWriteStream(target, { flags: 'wx', mode: (await stat(path)).mode });
    if (compression === null) await pipeline(Readable.from(kept), sink);
    else await pipeline(Readable.from(kept), createGzip({ level: 1 }), sink);
  } finally {
    source.close();
  }
};

const headOf = (reader: ByteReader, format: 'idx' | 'npy'): Promise<FixedRecords> =>
  format === 'idx' ? readIdxHead(reader) : readNpyHead(reader);

async function* keptRecords(
  reader: ByteReader,
  format: 'idx' | 'npy',
  records: number,
  isDrawn: (index: number, records: number) => boolean,
): AsyncGenerator<Buffer> {
  const { recordBytes, headFor } = await headOf(reader, format);
  yield headFor(records - withheldOf(records));
  const at = Math.max(1, Math.floor(stretchBytes / recordBytes));
  for (let from = 0; from < records; from += at) {
    const count = Math.min(at, records - from);
    const stretch = await reader.take(count * recordBytes);
    if (stretch.length < count * recordBytes)
      throw new Problem('invalid-data', 'it ends before its last record');
    const parts: Buffer[] = [];
    let start = 0;
    for (let i = 0; i < count; i++) {
      if (!isDrawn(from + i, records)) continue;
      parts.push(stretch.subarray(start * recordBytes, i * recordBytes));
      start = i + 1;
    }
    parts.push(stretch.subarray(start * recordBytes));
    yield Buffer.concat(parts);
  }
}

async function* keptLines(
  stream: AsyncIterable<Buffer>,
  format: 'csv' | 'text',
  records: number,
  isDrawn: (index: number, records: number) => boolean,
): AsyncGenerator<Buffer> {
  let index = -headLines[format];
  for await (const line of linesOf(stream)) {
    if (index < 0 || !isDrawn(index, records)) yield line;
    index += 1;
  }
}

/** Lines with their line breaks. Problem `invalid-data` for what is no text of lines, and for quotes around line breaks. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    if (chunk.includes(0)) throw new Problem('invalid-data', 'it is no text');
    try {
      decoder.decode(chunk, { stream: true });
    } catch {
      throw new Problem('invalid-data', 'it is no text in UTF-8');
    }
    let all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10)) {
      yield whole(all.subarray(0, end + 1));
      all = all.subarray(end + 1);
    }
    if (all.length > longestLine)
      throw new Problem('invalid-data', `a line is longer than ${longestLine} bytes`);
    rest = all;
  }
  if (rest.length > 0) yield whole(rest);
}

const whole = (line: Buffer): Buffer => {
  let quotes = 0;
  for (let at = line.indexOf(34); at >= 0; at = line.indexOf(34, at + 1)) quotes += 1;
  if (quotes % 2 === 0) return line;
  throw new Problem('invalid-data', 'a quoted field spans lines');
};
