import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { expectedFalseAlarms, falseAlarmSentence, measuredFalseAlarms } from './false-alarms.ts';

test('the expectation grows with the models, is never below the design’s one in a hundred, and none is none', () => {
  assert.equal(expectedFalseAlarms(0), 0);
  const counts = [1, 10, 100, 1_000].map(expectedFalseAlarms);
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
  );
  assert.ok(expectedFalseAlarms(1) >= 1 && expectedFalseAlarms(1_000) >= 10);
  const { different, draws } = measuredFalseAlarms;
  assert.ok(expectedFalseAlarms(draws) >= different);
});

test('the sentence counts in words, in one sentence, and accuses nobody', () => {
  const one = falseAlarmSentence(1, 1);
  assert.match(
    one,
    /^Of one model judged by statistics one is called different; were all honest, up to one /,
  );
  const many = falseAlarmSentence(140, 3);
  assert.match(many, /^Of 140 models judged by statistics three are called different; .* up to (\w+) would/);
  assert.match(falseAlarmSentence(0, 0), /^No model has been judged/);
  for (const sentence of [one, many]) {
    assert.equal(sentence.match(/\.(?= [A-Z]|$)/g)?.length, 1);
    assert.doesNotMatch(sentence, /malicious|backdoor|attack|NaN/i);
  }
});

test('the measured rate is that of docs/reference/error-rates.md (mend: measuredFalseAlarms)', () => {
  const page = readFileSync(new URL('../../../../docs/reference/error-rates.md', import.meta.url), 'utf8');
  const { different, draws } = measuredFalseAlarms;
  const percent = `${((100 * different) / draws).toFixed(1)} %`;
  const honest = page.split('\n').filter((line) => /honest/i.test(line));
  assert.ok(
    honest.some((line) => line.includes(percent)),
    `no line on honest models says ${percent}`,
  );
});
