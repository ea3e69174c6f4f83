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

const numbers: Verb = {
  ...verb,
  words: [0, 0],
  options: {
    slots: { type: 'string', value: 'N', help: '' },
    hours: { type: 'string', value: 'N', help: '' },
    ...jsonOption,
  },
};

test('a number that is none, or out of its limits, is refused with its option, its limits and the cure', () => {
  const slots = (...words: string[]) => parseVerbArgs(numbers, words).wholeNumber('slots', 1, 256);
  const hours = (...words: string[]) =>
    parseVerbArgs(numbers, words).number('hours', { least: 0, most: 1e9 });
  assert.deepEqual([slots('--slots', '256'), slots()], [256, undefined]);
  assert.deepEqual(
    [hours('--hours', '0.5'), hours('--hours=1.86e3'), hours('--hours', '0')],
    [0.5, 1_860, 0],
  );
  const refused = (deed: () => unknown, detail: string, hint: string) =>
    assert.throws(
      deed,
      (error) =>
        error instanceof Problem && error.code === 'usage' && error.detail === detail && error.hint === hint,
    );
  for (const text of [
    '1e9',
    '-5',
    '0',
    '257',
    '2O',
    '1.5',
    '0x10',
    'NaN',
    'Infinity',
    '9'.repeat(400),
    '٣',
  ]) {
    const cure = 'write it in digits alone, as in --slots 1';
    refused(() => slots('--slots', text), `--slots ${text}: a whole number from 1 to 256 is needed`, cure);
  }
  refused(
    () => slots('--slots', ''),
    '--slots “”: a whole number from 1 to 256 is needed',
    'write it in digits alone, as in --slots 1',
  );
  for (const text of ['-5', '-.5', '1e10', '1e99', '5h', '1,5', 'none', '0x10']) {
    const cure = 'write it as in --hours 1.5 or --hours 1.86e3, without a unit';
    refused(() => hours('--hours', text), `--hours ${text}: a number from 0 to 1000000000 is needed`, cure);
  }
});

test('a deed without a reason is refused, a blank one too', () => {
  for (const rest of [['n1'], ['n1', '-m', '  ']]) {
    assert.throws(
      () => parseVerbArgs(verb, rest).reason(),
      (error) => error instanceof Problem && error.code === 'usage',
    );
  }
});
