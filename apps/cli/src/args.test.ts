// Options of a verb: short letters, repeated options, and the reason of a deed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '@retraind/shared/wire/problems';
import { flagOf, jsonOption, messageOption, parseVerbArgs, type Verb } from './args.ts';

const tag = { type: 'string', value: 'TAG', help: 'a tag', multiple: true } as const;
const verb: Verb = {
  name: 'node approve',
  usage: 'node approve NODE',
  summary: 'test',
  words: [1, 1],
  options: { tag, ...messageOption, ...jsonOption },
  run: async () => 0,
};

test('an option may be repeated, and -m gives the reason', () => {
  const args = parseVerbArgs(verb, ['n1', '--tag', 'a', '--tag=b', '-m', 'it is new']);
  assert.deepEqual([args.words, args.texts('tag'), args.reason()], [['n1'], ['a', 'b'], 'it is new']);
  assert.deepEqual(parseVerbArgs(verb, ['n1']).texts('tag'), []);
  assert.equal(flagOf('message', messageOption.message), '-m, --message WHY');
  assert.equal(flagOf('tag', tag), '--tag TAG …');
});

test('a deed without a reason is refused, a blank one too', () => {
  for (const rest of [['n1'], ['n1', '-m', '  ']]) {
    assert.throws(
      () => parseVerbArgs(verb, rest).reason(),
      (error) => error instanceof Problem && error.code === 'usage',
    );
  }
});
