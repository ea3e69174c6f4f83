import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeb822 } from './deb822.ts';
import { parseTag, readTag } from './tag.ts';

test('the tag reads the same in debian/control and in an index', () => {
  const source = parseTag(
    'Source: a\nXS-Retrain: bootstrap\nXS-Retrain-Accelerator: cuda:sm_80 | none\n',
  ).tag;
  const index = readTag(
    readDeb822('Package: a\nRetrain: bootstrap\nRetrain-Accelerator: cuda:sm_80 | none\n')[0]!,
    'Sources',
  ).tag;
  assert.deepEqual(source, index);
  assert.deepEqual(source?.accelerators, [{ kind: 'cuda', minimumCapability: 80 }, { kind: 'none' }]);
});

test('no tag is no fault; a tag that cannot be read is', () => {
  assert.deepEqual(parseTag('Source: a\nXB-Retrain: no-source-field\n'), { tag: null, faults: [] });
  assert.deepEqual(parseTag(''), { tag: null, faults: [] });
  for (const [field, message] of [
    ['XS-Retrain: a b', /no name of a rules target/],
    ['XS-Retrain: bootstrap\nXS-Retrain-Policy: daily', /no policy/],
    ['XS-Retrain: bootstrap\nXS-Retrain-Accelerator: gpu', /`gpu` is no accelerator/],
    ['XS-Retrain: bootstrap\nXS-Retrain-Polcy: never', /unknown field/],
    ['XS-Retrain: bootstrap\nXSBC-Retrain: bootstrap', /says the same/],
    ['XS-Retrain-Policy: never', /without XS-Retrain/],
  ] as const) {
    const { tag, faults } = parseTag(`Source: a\n${field}\n`);
    assert.equal(tag, null, field);
    assert.match(faults[0]!.message, message);
  }
});
