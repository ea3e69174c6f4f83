import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { expectedFalseAlarms, falseAlarmSentence, measuredFalseAlarms } from './false-alarms.ts';

const measured = { different: 23, draws: 400 };

test('the expectation is the larger of design and measurement, rounded up, and none of none', () => {
  assert.equal(expectedFalseAlarms(0, measured), 0);
  assert.deepEqual(
    [1, 100, 101, 1_000].map((judged) => expectedFalseAlarms(judged, null)),
    [1, 1, 2, 10],
  );
  assert.equal(expectedFalseAlarms(400, measured), 23);
  assert.equal(expectedFalseAlarms(1_000, { different: 1, draws: 1_000 }), 10, 'never below the design');
});

test('the sentence counts in words, in one sentence, and accuses nobody', () => {
  const one = falseAlarmSentence(1, 1, null);
  assert.match(
    one,
    /^Of one model judged by statistics one is called different; were all honest, up to one /,
  );
  assert.match(one, /\(by design 1 %, not yet measured for this version\)\.$/);
  const many = falseAlarmSentence(140, 3, measured);
  assert.match(many, /^Of 140 models judged by statistics three are called different; .* up to nine would/);
  assert.match(many, /\(by design 1 %, measured 23 of 400 draws\)\.$/);
  assert.match(falseAlarmSentence(0, 0), /^No model has been judged/);
  for (const sentence of [one, many]) {
    assert.equal(sentence.match(/\.(?= [A-Z]|$)/g)?.length, 1);
    assert.doesNotMatch(sentence, /malicious|backdoor|attack|NaN/i);
  }
});

test('the measured rate is that of docs/reference/error-rates.md (mend: measuredFalseAlarms)', () => {
  const page = readFileSync(new URL('../../../../docs/reference/error-rates.md', import.meta.url), 'utf8');
  const section = page.match(
    /<!-- calibrate fashion-cnn: begin -->(.*?)<!-- calibrate fashion-cnn: end -->/s,
  );
  assert.ok(section, 'the page has a section on fashion-cnn');
  // The first table's honest row: | **title** | draws | share of draws; …
  const honest = section[1]!.match(/^\| \*\*[^|]*\| (\d+) \| ([\d.]+) %;/m);
  if (honest === null) return assert.equal(measuredFalseAlarms, null, 'the page has no measurement');
  const [draws, percent] = [Number(honest[1]), Number(honest[2])];
  const told = `the page says ${percent} % of ${draws} draws`;
  assert.equal(measuredFalseAlarms?.draws, draws, told);
  assert.ok(Math.abs((100 * measuredFalseAlarms.different) / draws - percent) <= 0.5, told);
});
