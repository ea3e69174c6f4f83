import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, Progress } from './progress.ts';

const watched = (bar: boolean, done = 0) => {
  let clock = 0;
  const texts: string[] = [];
  const progress = new Progress(
    { epochs: 2, steps: 200, done },
    { bar, now: () => clock, write: (text) => void texts.push(text) },
  );
  return { progress, texts, pass: (seconds: number) => (clock += 1000 * seconds) };
};

test('durations as people say them', () => {
  assert.deepEqual([0.2, 59.6, 200, 3600, 7_300].map(duration), [
    '0 s',
    '1 min 0 s',
    '3 min 20 s',
    '1 h 0 min',
    '2 h 1 min',
  ]);
});

test('the time left is that of the steps of this process, the first one not counted', () => {
  const { progress, pass } = watched(false, 100);
  // It compiles: 50 s for one step.
  pass(50);
  progress.step(101, 2, 1);
  assert.equal(progress.eta(101), null);
  pass(2);
  assert.equal(progress.eta(102), 2 * 98);
});

test('lines far apart without a terminal, one line that is drawn anew with one', () => {
  const lines = watched(false);
  for (let step = 1; step <= 100; step++) {
    lines.pass(0.3);
    lines.progress.step(step, 1, 0.5);
  }
  lines.progress.epoch(1, 0.25, { loss: 0.5, accuracy: 0.75 });
  assert.deepEqual(lines.texts, [
    'epoch 1/2  step 34/200  loss 0.5000  50 s left\n',
    'epoch 1/2  step 68/200  loss 0.5000  40 s left\n',
    'epoch 1/2  loss 0.2500  validation loss 0.5000, accuracy 0.7500  30.0 s\n',
  ]);
  const bar = watched(true);
  bar.progress.step(1, 1, 0.5);
  bar.pass(1);
  bar.progress.step(100, 1, 0.5);
  bar.progress.say('done');
  assert.deepEqual(bar.texts, [
    '\r\u001b[Kepoch 1/2 [============            ] 50 %  loss 0.5000  1 s left',
    '\r\u001b[Kdone\n',
  ]);
});
