import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lint, type TreeFacts } from './lint.ts';
import { readMakefile } from './makefile.ts';

const control = `Retrain-Format: 1.0

Model: m
File: models/m.onnx
Output: m.onnx
Comparison: bitwise
License: Expat

Dataset: d
Transport: in-source
License: Expat
Directory: data
Checksums-Sha256:
 ${'a'.repeat(64)} 1 x.gz
`;
const rules = '#!/usr/bin/make -f\n\n%:\n\tdh $@\n\n.PHONY: bootstrap\nbootstrap:\n\ttrue\n';
const files = new Set(['models/m.onnx', 'data/x.gz', 'debian/m.onnx']);
const good: TreeFacts = {
  control,
  debianControl: 'Source: m\nXS-Retrain: bootstrap\n\nPackage: m\n',
  rulesPath: 'debian/rules',
  rules,
  rulesIsExecutable: true,
  isOverlay: false,
  sourceFormat: '3.0 (quilt)\n',
  includeBinaries: null,
  exists: (path) => files.has(path),
};

test('a clean tree has no fault', () => {
  const { recipe, tag, faults } = lint(good);
  assert.deepEqual(faults, []);
  assert.equal(recipe?.target, 'bootstrap');
  assert.equal(tag?.target, 'bootstrap');
});

const withFile = (name: string): Partial<TreeFacts> => ({
  exists: (path) => path === name || files.has(path),
});
const converted = control.replace('License: Expat', 'License: Expat\nConverter: int8');
const bare = rules.replace('.PHONY: bootstrap\n', '');

const cases: [name: string, change: Partial<TreeFacts>, severity: string, at: string, message: RegExp][] = [
  ['no recipe', { control: null }, 'error', 'debian/retrain/control:1', /no recipe/],
  ['no tag', { debianControl: 'Source: m\n' }, 'warning', 'debian/control:1', /no tag/],
  ['not phony', { rules: bare }, 'warning', 'debian/rules:6', /is not phony/],
  [
    'shadowed',
    { rules: bare, ...withFile('bootstrap') },
    'error',
    'debian/rules:6',
    /file named bootstrap.*do nothing/,
  ],
  ['no rules', { rules: null }, 'error', 'debian/rules:1', /absent/],
  ['not executable', { rulesIsExecutable: false }, 'error', 'debian/rules:1', /not executable/],
  [
    'only dh',
    { rules: '%:\n\tdh $@\n.PHONY: bootstrap\n' },
    'error',
    'debian/rules:1',
    /no rule for the target/,
  ],
  [
    'no converter',
    { control: converted, rules: `${rules}.PHONY: int8\n` },
    'error',
    'debian/rules:1',
    /no rule for the target int8/,
  ],
  [
    'a converter that is not phony',
    { control: converted, rules: `${rules}int8:\n\ttrue\n` },
    'warning',
    'debian/rules:9',
    /target int8 is not phony/,
  ],
  [
    'a shadowed converter',
    { control: converted, rules: `${rules}int8:\n\ttrue\n`, ...withFile('int8') },
    'error',
    'debian/rules:9',
    /file named int8.*do nothing/,
  ],
  [
    'rule elsewhere',
    { rules: 'include debian/more.mk\n.PHONY: bootstrap\n' },
    'warning',
    'debian/rules:1',
    /included files were not read/,
  ],
  [
    'no model',
    { control: control.replace('models/m', 'models/n') },
    'error',
    'debian/retrain/control:4',
    /not in the tree/,
  ],
  [
    'no data',
    { control: control.replace('x.gz', 'y.gz') },
    'error',
    'debian/retrain/control:9',
    /pins data\/y\.gz, which is not/,
  ],
  [
    'binary under debian',
    { control: control.replace('models/m', 'debian/m') },
    'error',
    'debian/retrain/control:4',
    /3\.0 \(quilt\) cannot/,
  ],
];
for (const [name, change, severity, at, message] of cases) {
  test(`lint: ${name}`, () => {
    const { faults } = lint({ ...good, ...change });
    assert.equal(faults.length, 1, JSON.stringify(faults));
    const [fault] = faults;
    assert.equal(`${fault!.file}:${fault!.line}`, at);
    assert.equal(fault!.severity, severity);
    assert.match(fault!.message, message);
    assert.ok(fault!.cure.length > 5);
  });
}

test('what is excused: a named binary, a native format, an overlay without tag, a file shadowing a phony target', () => {
  const under = { control: control.replace('models/m', 'debian/m') };
  assert.deepEqual(lint({ ...good, ...under, includeBinaries: '# list\ndebian/m.onnx\n' }).faults, []);
  assert.deepEqual(lint({ ...good, ...under, sourceFormat: '3.0 (native)' }).faults, []);
  assert.deepEqual(lint({ ...good, debianControl: 'Source: m\n', isOverlay: true }).faults, []);
  assert.deepEqual(lint({ ...good, ...withFile('bootstrap') }).faults, []);
});

test('faults of control file, tag and tree come out in one go', () => {
  const { faults } = lint({
    ...good,
    control: control.replace('bitwise', 'bitwse'),
    debianControl: 'Source: m\nXS-Retrain: a b\n',
  });
  assert.deepEqual(
    faults.map(({ file, line }) => `${file}:${line}`),
    ['debian/control:2', 'debian/retrain/control:6'],
  );
});

test('makefiles: continuations, variables, comments, recipes and double colons', () => {
  const { targets, phony, includes } = readMakefile(
    [
      'TARGETS = build \\',
      '  bootstrap',
      'EXTRA := clean # .PHONY: no',
      'EXTRA += more',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is make's notation
      '.PHONY: $(TARGETS) ${EXTRA}',
      'override_dh_auto_build:',
      '\t.PHONY: recipe-line',
      'define x',
      'inside: define',
      'endef',
      'a b: c; echo',
      'bootstrap::',
      'VAR := value:with:colons',
      '-include more.mk',
    ].join('\n'),
  );
  assert.deepEqual([...phony], ['build', 'bootstrap', 'clean', 'more']);
  assert.deepEqual(
    [...targets],
    [
      ['override_dh_auto_build', 6],
      ['a', 11],
      ['b', 11],
      ['bootstrap', 12],
    ],
  );
  assert.equal(includes, true);
});
