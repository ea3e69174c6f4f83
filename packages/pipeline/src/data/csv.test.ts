import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { RecipeFault } from '../fault.ts';
import type { CsvOptions } from './csv.ts';
import { openCsv, readCsv } from './csv-table.ts';
import { inputs, labels, targets } from './records.ts';

const folder = await mkdtemp(join(tmpdir(), 'retraind-test-'));
after(() => rm(folder, { recursive: true, force: true }));
const written = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

const flowers =
  '\ufefflength,width,"kind",note\r\n5.1,3.5,setosa,"a, b"\r\n7,-3.2e0,virginica,"two\r\nlines"\r\n\r\n.5,1.,setosa,""""\r\n';
const options: CsvOptions = {
  columns: ['length', 'width', 'kind'],
  categories: { kind: ['setosa', 'virginica'] },
};

test('columns by name become inputs, labels and targets; the others may hold anything', async () => {
  for (const content of [flowers, gzipSync(flowers)]) {
    const path = await written('flowers.csv', content);
    for (const table of [await readCsv(path, options), await openCsv(path, options)]) {
      assert.deepEqual([table.rows, table.header], [3, ['length', 'width', 'kind']]);
      const kinds = labels(table.column('kind'), { classes: 2 });
      assert.deepEqual(Array.from(kinds.values), [0, 1, 0]);
      const rows = Int32Array.of(2, 1);
      const array = table.columns(['width', 'length']);
      const both = 'source' in array ? inputs(array, { scale: 2 }) : inputs(array, { scale: 2 });
      assert.deepEqual(await both.gather(rows), Float32Array.of(2, 1, -6.4, 14));
      const length = table.column('length');
      const lengths = 'source' in length ? targets(length) : targets(length);
      assert.deepEqual(await lengths.gather(rows), Float32Array.of(0.5, 7));
      if ('close' in table) {
        (table.close as () => void)();
        assert.throws(() => both.gather(rows), /read after it was closed/);
      }
    }
  }
});

test('other delimiters and quotes, and a header of ours', async () => {
  const path = await written('plain.tsv', "1\t'2'\t3\n4\t5\t6\n");
  const table = await readCsv(path, { delimiter: '\t', quote: "'", header: ['a', 'b', 'c'] });
  assert.deepEqual(Array.from(table.columns(['c', 'b']).values), [3, 2, 6, 5]);
});

test('labels of a wide table in a file are found page by page', async () => {
  const rows = 3_000;
  const line = (row: number): string => `${Array.from({ length: 99 }, () => '0').join(',')},${row % 7}\n`;
  const header = Array.from({ length: 100 }, (_, i) => `c${i}`);
  const path = await written('wide.csv', Array.from({ length: rows }, (_, row) => line(row)).join(''));
  const table = await openCsv(path, { header });
  const { values } = labels(table.column('c99'), { classes: 7 });
  assert.deepEqual(
    Array.from(values),
    Array.from({ length: rows }, (_, row) => row % 7),
  );
  assert.throws(
    () => labels(table.column('c99'), { classes: 6 }),
    /\(c99\): the label of record 6 is 6, outside 0 … 5/,
  );
  table.close();
});

const faults: [string, string | Uint8Array, CsvOptions, RegExp][] = [
  ['nothing', '', {}, /holds no record/],
  ['a header only', 'a,b\n', {}, /holds no record/],
  ['a field too few', 'a,b\n1,2\n3\n', {}, /line 3: 1 fields, the header has 2/],
  ['a field too many', 'a,b\n1,2,3\n', {}, /line 2: 3 fields, the header has 2/],
  ['a word', 'a,b\n1,2\n3,x\n', {}, /line 3: column 'b' holds 'x', which is no finite number/],
  ['an empty field', 'a,b\n1,\n', {}, /line 2: column 'b' holds '', which is no finite number/],
  ['NaN', 'a,b\nNaN,1\n', {}, /line 2: column 'a' holds 'NaN'/],
  ['a number beyond doubles', 'a\n1e999\n', {}, /line 2: column 'a' holds '1e999'/],
  ['hexadecimal', 'a\n0x10\n', {}, /line 2: column 'a' holds '0x10'/],
  [
    'an unknown word',
    'a\nred\nblue\n',
    { categories: { a: ['red'] } },
    /line 3: column 'a' holds 'blue', which is not among/,
  ],
  [
    'categories of no column',
    'a\n1\n',
    { categories: { b: ['x'] } },
    /categories are given for 'b', which is not read/,
  ],
  ['no such column', 'a,b\n1,2\n', { columns: ['c'] }, /has no column 'c'/],
  ['a column twice', 'a,b,a\n1,2,3\n', {}, /two columns are named 'a' \(1 and 3\)/],
  ['a column asked for twice', 'a\n1\n', { columns: ['a', 'a'] }, /asked for twice/],
  ['a quote that never ends', 'a,b\n1,"2\n3,4\n', {}, /line \d+: Quote Not Closed/],
  ['a quote amid a field', 'a,b\n1,2"3"\n', {}, /line 2: Invalid Opening Quote/],
  ['a line without end', `a\n${'1'.repeat(5_000_000)}`, {}, /line 2: Max Record Size/],
  ['broken gzip', gzipSync('a\n1\n').subarray(0, 15), {}, /broken gzip/],
];
for (const [what, content, given, message] of faults) {
  test(`refused with its line: ${what}`, async () => {
    const path = await written('broken.csv', content);
    for (const read of [readCsv, openCsv]) {
      await assert.rejects(read(path, given), (error: Error) => {
        assert.ok(error instanceof RecipeFault && error.cure !== '', String(error.stack));
        assert.match(error.message, message);
        return error.message.startsWith(path);
      });
    }
  });
}

test('too much for memory, and a column that was not read', async () => {
  const path = await written('ten.csv', `a,b\n${'1,2\n'.repeat(10)}`);
  await assert.rejects(readCsv(path, { maxBytes: 100 }), /more than 100 bytes/);
  const table = await readCsv(path, { columns: ['a'] });
  assert.throws(() => table.column('b'), /no column 'b' was read/);
});

test('no text makes the reader throw anything but a RecipeFault', async () => {
  const text = fc
    .array(fc.constantFrom('a', '1', ',', '\n', '\r', '"', '""', ' ', '-', '.', 'e9', '\ufeff', '\0', 'é'), {
      maxLength: 40,
    })
    .map((tokens) => Buffer.from(tokens.join('')));
  await fc.assert(
    fc.asyncProperty(fc.oneof(text, fc.uint8Array({ maxLength: 60 })), async (content) => {
      const path = await written('any.csv', content);
      for (const read of [readCsv, openCsv]) {
        try {
          const table = await read(path);
          assert.ok(table.rows > 0);
          if ('close' in table) (table.close as () => void)();
        } catch (error) {
          assert.ok(error instanceof RecipeFault, String((error as Error).stack));
        }
      }
    }),
    { numRuns: 300 },
  );
});
