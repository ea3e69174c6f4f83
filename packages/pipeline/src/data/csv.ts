// CSV (RFC 4180 and what people make of it; the grammar is csv-parse's) as records of numbers, plain or gzip, in one pass.
import { createReadStream } from 'node:fs';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { RecipeFault } from '../fault.ts';
import { cannotRead, fileSource } from './byte-source.ts';
import { maxRows } from './data-array.ts';
import { isGzip } from './gzip.ts';

export interface CsvOptions {
  /** Between fields; ',' unless said. */
  delimiter?: string;
  /** Around fields that hold delimiters or line breaks; '"' unless said, doubled inside. Null: none. */
  quote?: string | null;
  /** Names of the columns where the file's first line does not say them. */
  header?: readonly string[];
  /** The columns to read; the others may hold anything. All unless said. */
  columns?: readonly string[];
  /** Columns of words: each is read as the place of its word in the list, from 0. */
  categories?: Readonly<Record<string, readonly string[]>>;
}

/** Characters of one record, and columns of a table. */
const maxRecord = 2 ** 22;
const maxColumns = 65_536;

const number = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** A column that is read. */
export interface Column {
  name: string;
  /** Its place in a record of the file. */
  at: number;
  categories: Map<string, number> | null;
}

function choose(path: string, header: readonly string[], options: CsvOptions): Column[] {
  const kept = options.columns ?? header;
  const known = `${header.slice(0, 20).join(', ')}${header.length > 20 ? ', …' : ''}`;
  for (const name of Object.keys(options.categories ?? {})) {
    if (kept.includes(name)) continue;
    throw new RecipeFault(
      `${path}: categories are given for '${name}', which is not read`,
      `columns: ${known}`,
    );
  }
  if (new Set(kept).size < kept.length && options.columns) {
    throw new RecipeFault(`${path}: a column is asked for twice`, 'name each column once');
  }
  return kept.map((name) => {
    const at = header.indexOf(name);
    if (at < 0) throw new RecipeFault(`${path}: has no column '${name}'`, `it has ${known}`);
    const again = header.indexOf(name, at + 1);
    if (again >= 0) {
      throw new RecipeFault(
        `${path}: two columns are named '${name}' (${at + 1} and ${again + 1})`,
        'name the columns by `header`, or mend the file',
      );
    }
    const words = options.categories?.[name];
    return { name, at, categories: words ? new Map(words.map((word, i) => [word, i])) : null };
  });
}

/**
 * Reads the file record by record: `begin` is told the columns once, then `put` each record's values, which are overwritten
 * by the next. Throws a RecipeFault that names line and column of what is wrong.
 */
export async function readRecords(
  path: string,
  options: CsvOptions,
  begin: (columns: Column[]) => void,
  put: (values: Float64Array) => void,
): Promise<void> {
  let header = options.header ?? null;
  let columns: Column[] | null = null;
  let values = new Float64Array(0);
  let rows = 0;
  const fault = (line: number, what: string, cure: string): RecipeFault =>
    new RecipeFault(`${path}: line ${line}: ${what}`, cure);

  const take = (record: string[], line: number): void => {
    if (!header) {
      header = record;
      if (record.length > maxColumns) {
        throw fault(
          line,
          `${record.length} columns; at most ${maxColumns} are read`,
          'say the right delimiter',
        );
      }
      return;
    }
    if (!columns) {
      columns = choose(path, header, options);
      values = new Float64Array(columns.length);
      begin(columns);
    }
    if (record.length !== header.length) {
      throw fault(
        line,
        `${record.length} fields, the header has ${header.length}`,
        'mend the line, or say the right delimiter',
      );
    }
    if (++rows > maxRows) throw fault(line, `more than ${maxRows} records`, 'split the file');
    for (let i = 0; i < columns.length; i++) {
      const { name, at, categories } = columns[i]!;
      const text = record[at]!;
      const value = categories ? categories.get(text) : number.test(text) ? Number(text) : undefined;
      if (value === undefined || !Number.isFinite(value)) {
        const what = `column '${name}' holds '${text.slice(0, 40)}', `;
        if (categories)
          throw fault(
            line,
            `${what}which is not among its categories`,
            'add it to the categories, or mend the line',
          );
        throw fault(
          line,
          `${what}which is no finite number`,
          'mend the line, read other columns, or give the column categories',
        );
      }
      values[i] = value;
    }
    put(values);
  };

  const parser = parse({
    delimiter: options.delimiter ?? ',',
    quote: options.quote === undefined ? '"' : options.quote,
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRecord,
  });
  const file = fileSource(path);
  const streams: [Readable, ...NodeJS.ReadWriteStream[]] = isGzip(file)
    ? [createReadStream(path), createGunzip({ chunkSize: 2 ** 18 })]
    : [createReadStream(path, { highWaterMark: 2 ** 18 })];
  file.close();
  try {
    const sink = new Writable({
      objectMode: true,
      write({ record, info }: { record: string[]; info: { lines: number } }, _, done) {
        try {
          take(record, info.lines);
          done();
        } catch (error) {
          done(error as Error);
        }
      },
    });
    await pipeline([...streams, parser, sink]);
  } catch (error) {
    if (error instanceof RecipeFault) throw error;
    if (error instanceof CsvError) {
      const line = (error as CsvError & { lines?: number }).lines ?? 1;
      throw fault(line, error.message, 'say the right delimiter and quote, or mend the line');
    }
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall) throw cannotRead(path, error);
    throw new RecipeFault(`${path}: broken gzip (${message})`, 'fetch the file again', { cause: error });
  }
  if (rows === 0) throw new RecipeFault(`${path}: holds no record`, 'give a file with records');
}
