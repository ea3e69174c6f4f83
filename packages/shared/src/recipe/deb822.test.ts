import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../wire/problems.ts';
import { fieldOf, parseDeb822, printDeb822, printStanza, readDeb822, textOf, valueIn } from './deb822.ts';
import { StanzaSplitter } from './stanza-splitter.ts';

const sample = `# a comment
Source: anthy
Build-Depends: debhelper-compat (= 13),
# between two lines of a value
 gawk,
\tdpkg-dev
Description: Japanese input method
 Anthy is a system.
 .
  indented
 ..
X-Empty:

 \t
Package: anthy
package-list:
 anthy deb utils optional arch=any
`;

test('stanzas, folding, comments, lone dots and line numbers', () => {
  const { stanzas, faults } = parseDeb822(sample);
  assert.deepEqual(faults, []);
  assert.equal(stanzas.length, 2);
  assert.deepEqual(
    stanzas.map(({ line }) => line),
    [2, 15],
  );
  assert.equal(valueIn(stanzas[0]!, 'BUILD-depends'), 'debhelper-compat (= 13), gawk, dpkg-dev');
  const description = fieldOf(stanzas[0]!, 'description')!;
  assert.equal(textOf(description), 'Japanese input method\nAnthy is a system.\n\n indented\n.');
  assert.deepEqual(
    description.lines.map(({ line }) => line),
    [7, 8, 9, 10, 11],
  );
  assert.equal(valueIn(stanzas[0]!, 'X-Empty'), '');
  assert.equal(valueIn(stanzas[1]!, 'Package-List'), 'anthy deb utils optional arch=any');
  assert.equal(valueIn(stanzas[1]!, 'Absent'), null);
});

test('CRLF, blanks before the colon and a byte order mark are read as dpkg and apt read them', () => {
  const [stanza] = readDeb822('\uFEFFSource : a\r\nValue:x\r\n more\r\n\r\n');
  assert.equal(valueIn(stanza!, 'source'), 'a');
  assert.equal(textOf(fieldOf(stanza!, 'value')!), 'x\nmore');
});

test('every fault is reported, with line and cure', () => {
  const { faults } = parseDeb822(' stray\nA: 1\na: 2\nno colon here\n-x: 1\nSp ace: 1\nB: \0\n', {
    file: 'debian/control',
  });
  assert.deepEqual(
    faults.map(({ file, line, field }) => [file, line, field]),
    [
      ['debian/control', 1, null],
      ['debian/control', 3, 'a'],
      ['debian/control', 4, null],
      ['debian/control', 5, null],
      ['debian/control', 6, null],
      ['debian/control', 7, null],
    ],
  );
  for (const { message, cure } of faults) assert.ok(message.length > 10 && cure.length > 10);
});

test('limits are faults, not crashes', () => {
  const limits = { textLength: 100, stanzas: 2, fieldsPerStanza: 2, lineLength: 20 };
  const said = (text: string): string => parseDeb822(text, { limits }).faults[0]?.message ?? '';
  assert.match(said('A: 1\n'.repeat(30)), /longer than 100/);
  assert.match(said('A: 1\n\nA: 1\n\nA: 1\n'), /more than 2 stanzas/);
  assert.match(said('A: 1\nB: 1\nC: 1\n'), /more than 2 fields/);
  assert.match(said(`A: ${'x'.repeat(30)}\n`), /longer than 20/);
});

const signed = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Source: a
Files:
- - dashed line is a value? no: - at the start
-----BEGIN PGP SIGNATURE-----

iQIz
-----END PGP SIGNATURE-----
`;

test('a clear-signed wrapper is taken off where asked, and is a fault elsewhere', () => {
  const { stanzas } = parseDeb822(signed.replace(/^- - .*\n/m, '- From: b\n'), { clearSigned: true });
  assert.equal(valueIn(stanzas[0]!, 'From'), 'b');
  assert.equal(fieldOf(stanzas[0]!, 'From')!.line, 6);
  assert.match(parseDeb822(signed).faults[0]!.cure, /OpenPGP/);
  // A plain file passes too.
  assert.equal(valueIn(readDeb822('A: 1\n', { clearSigned: true })[0]!, 'a'), '1');
});

test('what is not under the signature is refused', () => {
  const clean = signed.replace(/^- - .*\n/m, '');
  for (const [text, line] of [
    [`Evil: 1\n\n${clean}`, 1],
    [`${clean}Evil: 1\n`, 10],
    [clean.replace('Hash: SHA512', 'Evil: 1'), 2],
    [clean.replace('Files:', '-Files:'), 5],
    [clean.split('-----BEGIN PGP SIGNATURE')[0]!, 6],
    [clean.split('-----END')[0]!, 9],
  ] as const) {
    const { stanzas, faults } = parseDeb822(text, { clearSigned: true });
    assert.deepEqual([stanzas.length, faults[0]?.line], [0, line], text);
  }
});

test('the printer refuses what it could not read back', () => {
  for (const fields of [
    [['A b', '1']],
    [['#a', '1']],
    [['-a', '1']],
    [['', '1']],
    [
      ['A', '1'],
      ['a', '2'],
    ],
    [['A', '1\r2']],
  ] as [string, string][][]) {
    assert.throws(() => printStanza(fields), Problem);
  }
});

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/);
const valueLine = fc
  .string({ maxLength: 12, unit: fc.constantFrom('a', '.', ' ', '#', ':', '-', 'é', '~') })
  .map((text) => text.trimEnd());
const value = fc
  .tuple(
    valueLine.map((text) => text.trim()),
    fc.array(valueLine, { maxLength: 4 }),
  )
  .map(([first, rest]) => [first, ...rest].join('\n'));
const printable = fc.array(
  fc.uniqueArray(fc.tuple(name, value), {
    selector: ([n]) => n.toLowerCase(),
    minLength: 1,
    maxLength: 6,
  }),
  { maxLength: 5 },
);

test('what is printed reads back the same', () => {
  fc.assert(
    fc.property(printable, (stanzas) => {
      const read = readDeb822(printDeb822(stanzas)).map(({ fields }) =>
        fields.map((field) => [field.name, textOf(field)]),
      );
      assert.deepEqual(read, stanzas);
    }),
    { numRuns: 500 },
  );
});

test('the splitter cuts a stream wherever the chunks end, with true line numbers', () => {
  fc.assert(
    fc.property(
      printable,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
      (stanzas, sizes) => {
        const text = printDeb822(stanzas);
        const splitter = new StanzaSplitter('Sources');
        const cut = [];
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const size = sizes[turn % sizes.length]!;
          cut.push(...splitter.push(text.slice(at, at + size)));
          at += size;
        }
        cut.push(...splitter.end());
        assert.deepEqual(
          cut.flatMap(({ line, text: one }) => readDeb822(one, { firstLine: line })),
          readDeb822(text),
        );
      },
    ),
  );
});

test('the splitter refuses a stanza without end, and a line in small chunks costs no quadratic time', () => {
  const endless = new StanzaSplitter('Sources', { stanzaLength: 1_000_000 });
  assert.throws(() => {
    for (let i = 0; i < 200_000; i++) endless.push('abcdefghij');
  }, /Sources:1: a stanza is longer/);
  const many = new StanzaSplitter('Sources', { stanzaLength: 1_000_000 });
  assert.throws(() => {
    for (let i = 0; i < 200_000; i++) many.push('A: bcdef\n');
  }, /a stanza is longer/);
});
