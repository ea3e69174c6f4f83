import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Waker } from './listen.ts';

const long = 60_000;

test('a wake ends the wait that is under way', async () => {
  const waker = new Waker();
  const waiting = waker.wait(long, new AbortController().signal);
  waker.wake();
  await waiting;
});

test('a wake during the work before ends the next wait, once', async () => {
  const waker = new Waker();
  waker.wake();
  waker.wake();
  await waker.wait(long, new AbortController().signal);
  const stop = new AbortController();
  let ended = false;
  const second = waker.wait(long, stop.signal).then(() => {
    ended = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(ended, false);
  stop.abort();
  await second;
});

test('without a wake the wait lasts its time', async () => {
  const started = performance.now();
  await new Waker().wait(40, new AbortController().signal);
  assert.ok(performance.now() - started >= 38);
});
