import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { installedPackages } from './installed.ts';
import {
  aptInstallLine,
  architectureMatches,
  expandBuilddeps,
  parseRelations,
  printRelations,
  type Relation,
  unmetRelations,
} from './relation.ts';

const status = `Package: gawk
Status: install ok installed
Version: 1:5.2.1-2
Architecture: amd64
Multi-Arch: foreign
Provides: awk, gawk-api (= 3.2)

Package: python3
Status: install ok installed
Version: 3.11.2-1+b1
Architecture: amd64
Multi-Arch: allowed

Package: libgone1
Status: deinstall ok config-files
Version: 1
Architecture: amd64

Package: libx1
Status: install ok installed
Version: 1.0~rc1
Architecture: arm64
`;
const context = { architecture: 'amd64', profiles: ['nocheck'] };
const unmet = (text: string): string => {
  const { relations, faults } = parseRelations(text);
  assert.deepEqual(faults, []);
  return printRelations(unmetRelations(relations, installedPackages(status), context));
};

test('relations are weighed against what is installed', () => {
  for (const [text, lacking] of [
    ['gawk', ''],
    ['gawk (>= 1:5.2), gawk (<< 1:5.2.1-2~)', 'gawk (<< 1:5.2.1-2~)'],
    ['gawk (>= 2)', ''],
    ['awk', ''],
    ['awk (>= 1)', 'awk (>= 1)'],
    ['gawk-api (>= 3)', ''],
    ['gawk-api (>= 4)', 'gawk-api (>= 4)'],
    ['mawk | gawk', ''],
    ['mawk | busybox', 'mawk | busybox'],
    ['python3:any, python3:native', ''],
    ['libgone1', 'libgone1'],
    ['libx1', 'libx1'],
    ['libx1:arm64', ''],
    ['libx1:arm64 (>= 1.0)', 'libx1:arm64 (>= 1.0)'],
    ['nope [armhf arm64]', ''],
    ['nope [!armhf] | gawk', ''],
    ['nope [linux-any]', 'nope [linux-any]'],
    ['nope <!nocheck>', ''],
    ['nope <nocheck !stage1>', 'nope <nocheck !stage1>'],
    ['nope <stage1> <nocheck>', 'nope <stage1> <nocheck>'],
    ['', ''],
    [',gawk,', ''],
  ] as const) {
    assert.equal(unmet(text), lacking, text);
  }
});

test('the line to type names the first alternatives once', () => {
  const { relations } = parseRelations('bb (>= 2) | cc, dd:any, ee:arm64, bb');
  assert.equal(aptInstallLine(relations), 'apt-get install --no-install-recommends bb dd ee:arm64');
});

test('what Policy 7.1 does not allow is a fault with its reason', () => {
  for (const [text, reason] of [
    ['aa (> 1)', /uses `<` or `>`/],
    ['aa [linux-any !armhf]', /mixes negated and plain/],
    ['aa (>= 1_2)', /no Debian version/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg's notation
    ['${misc:Depends}', /substitution variable/],
    ['Aa', /no relation/],
    ['aa b', /no relation/],
    ['aa (>= )', /no relation/],
    ['aa | | bb', /no relation/],
    ['aa [@]', /no name of an architecture/],
  ] as const) {
    const { faults } = parseRelations(text);
    assert.equal(faults.length, 1, text);
    assert.match(faults[0]!, reason);
  }
});

test('architecture wildcards', () => {
  for (const [architecture, pattern, matches] of [
    ['amd64', 'any', true],
    ['amd64', 'linux-any', true],
    ['amd64', 'any-amd64', true],
    ['amd64', 'hurd-any', false],
    ['hurd-i386', 'any-i386', true],
    ['hurd-i386', 'linux-any', false],
    ['arm64', 'amd64', false],
    ['armhf', 'any-arm', false],
  ] as const) {
    assert.equal(architectureMatches(architecture, pattern), matches, `${architecture} ${pattern}`);
  }
});

test('@builddeps@ stands for the source’s own build dependencies', () => {
  assert.equal(expandBuilddeps('@builddeps@, gawk', ['debhelper', '', 'b']), 'debhelper, b, gawk');
});

const word = fc.stringMatching(/^[a-z][a-z0-9+.-]{1,6}$/);
const list = (negated: boolean) =>
  fc.array(
    fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/).map((name) => ({ negated, name })),
    {
      maxLength: 3,
    },
  );
const relation: fc.Arbitrary<Relation> = fc.record(
  {
    name: word,
    qualifier: fc.constantFrom(null, 'any', 'native', 'arm64'),
    version: fc.constantFrom(
      null,
      { operator: '>=', version: '1:2~3-4' } as const,
      { operator: '<<', version: '9' } as const,
    ),
    architectures: fc.boolean().chain(list),
    profiles: fc.array(
      list(true).filter((one) => one.length > 0),
      { maxLength: 2 },
    ),
  },
  { noNullPrototype: true },
);

test('what is printed reads back the same', () => {
  fc.assert(
    fc.property(fc.array(fc.array(relation, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), (relations) =>
      assert.deepEqual(parseRelations(printRelations(relations)), { relations, faults: [] }),
    ),
  );
});
