// Which results are made again, and when a third opinion is worth a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPolicy } from '../policy/world.ts';
import { checkDue, tiesOf } from './checks.ts';
import type { SeedResult } from './quarantine.ts';

const ids = Array.from({ length: 20_000 }, (_, i) => `run${i}`);
const run = { trainSeconds: 60, isSuspect: false };

test('the lot falls on the share that the policy says, always on the same runs, and a larger share adds to them', () => {
  const drawn = (spotCheckShare: number) =>
    ids.filter((runId) => checkDue({ ...run, runId }, { ...defaultPolicy, spotCheckShare }) === 'spot');
  const two = drawn(0.02);
  assert.ok(Math.abs(two.length - 400) < 100, `${two.length} of 20,000`);
  assert.deepEqual(drawn(0.02), two);
  const ten = new Set(drawn(0.1));
  assert.ok(two.every((runId) => ten.has(runId)));
  assert.equal(drawn(0).length, 0);
  assert.equal(drawn(1).length, ids.length);
});

test('a suspect is checked always, long runs never, and nobody where the farm checks none', () => {
  const suspect = { runId: 'x', trainSeconds: 60, isSuspect: true };
  assert.equal(checkDue(suspect, defaultPolicy), 'suspicion');
  const long = defaultPolicy.spotCheckHours * 3_600 + 1;
  assert.equal(checkDue({ ...suspect, trainSeconds: long }, defaultPolicy), null);
  assert.equal(checkDue(suspect, { ...defaultPolicy, spotCheckShare: 0 }), null);
});

const results = (sameness: string, text: string, model = 'm'): SeedResult[] =>
  text.split(' ').map((word, i) => {
    const [nodeId, sha256] = word.split(':') as [string, string];
    const of = { jobId: 'j', source: 'p', model, setting: 'amd64 wasm', sameness };
    return { ...of, runId: `${sameness}${i}`, nodeId, sha256, endedAt: new Date(i) };
  });

test('two nodes that differ are a tie; one node, three, or equal bytes are none', () => {
  for (const [text, wanted] of [
    ['a:x b:y', [['s0', 's1']]],
    ['a:x b:x', []],
    ['a:x a:y', []],
    ['a:x b:y c:x', []],
    ['a:x b:y c:z', []],
    ['a:x a:y b:x', [['s0', 's1', 's2']]],
  ] as const) {
    assert.deepEqual(
      tiesOf(results('s', text)).map(({ runIds }) => runIds),
      wanted,
      text,
    );
  }
  const [tie] = tiesOf([...results('s', 'b:y a:x'), ...results('s', 'b:y a:x', 'second')]);
  assert.deepEqual(tie, { runIds: ['s0', 's1'], nodeIds: ['a', 'b'] });
  assert.equal(tiesOf([...results('s', 'b:y a:x'), ...results('s', 'b:y a:x', 'second')]).length, 1);
});

test('of a recipe that was shown not to be reproducible, no tie is broken', () => {
  assert.deepEqual(tiesOf([...results('s', 'a:x b:y c:z'), ...results('t', 'a:x b:y')]), []);
});
