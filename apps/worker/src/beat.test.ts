import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Heartbeat, HeartbeatAnswer } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { Beat, type LeaveAsked, RunStopped } from './beat.ts';

type Told = Omit<Heartbeat, 'leaseEpoch'>;

/** A farm that answers heartbeats as the test says, and hands out each beat as it comes. */
function farmThat(answer: (count: number) => HeartbeatAnswer) {
  const beats: Told[] = [];
  const waiting: ((beat: Told) => void)[] = [];
  return {
    beats,
    next: () => new Promise<Told>((resolve) => waiting.push(resolve)),
    async heartbeat(beat: Told): Promise<HeartbeatAnswer> {
      beats.push(beat);
      waiting.shift()?.(beat);
      return answer(beats.length);
    },
  };
}

const troubles: Error[] = [];
const beatOn = (
  farm: ReturnType<typeof farmThat>,
  heartbeatSeconds: number,
  shutdown = new AbortController(),
) =>
  new Beat({
    farm,
    heartbeatSeconds,
    shutdown: shutdown.signal,
    stopGraceSeconds: 3,
    onTrouble: (error) => troubles.push(error),
  });

test('a new step is told at once, not at the next beat', async () => {
  const farm = farmThat(() => ({ cancel: false }));
  const first = farm.next();
  const beat = beatOn(farm, 3_600);
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  const second = farm.next();
  beat.at('train', 0.25);
  assert.deepEqual(await second, { step: 'train', progress: 0.25 });
  await beat.end();
  assert.equal(farm.beats.length, 2);
});

test('a cancelled run is stopped by the next beat', async () => {
  const beat = beatOn(
    farmThat((count) => ({ cancel: count === 3 })),
    0.01,
  );
  await once(beat.signal, 'abort');
  assert.ok(beat.signal.reason instanceof RunStopped && beat.signal.reason.why === 'cancelled');
  await beat.end();
});

test('a lost lease stops the run; a farm that is away does not', async () => {
  const farm = farmThat((count) => {
    if (count < 3) throw new Problem('farm-unreachable', 'away');
    throw new Problem('lease-lost', 'epoch 2 holds the run');
  });
  const beat = beatOn(farm, 0.01);
  await once(beat.signal, 'abort');
  assert.equal(beat.signal.reason.why, 'lease-lost');
  assert.deepEqual(
    troubles.map((error) => error.message),
    ['away', 'away'],
  );
  await beat.end();
});

test('a shutdown asks the run to leave, before or after it began, and the heart beats on', async () => {
  const shutdown = new AbortController();
  const farm = farmThat(() => ({ cancel: false }));
  const beat = beatOn(farm, 0.01, shutdown);
  shutdown.abort();
  const asked = beat.leave.reason as LeaveAsked;
  assert.deepEqual([asked.code, asked.graceSeconds], ['node-stopped', 3]);
  await farm.next();
  await farm.next();
  assert.equal(beat.signal.aborted, false);
  await beat.end();
  const late = beatOn(
    farmThat(() => ({ cancel: false })),
    3_600,
    shutdown,
  );
  assert.equal(late.leave.aborted, true);
  await late.end();
});

test('a run that is asked to leave may still be cancelled', async () => {
  const leave = { code: 'preempted', reason: 'a larger run waits', graceSeconds: 60 } as const;
  const beat = beatOn(
    farmThat((count) => ({ cancel: count > 3, ...(count > 1 && { leave }) })),
    0.01,
  );
  await once(beat.leave, 'abort');
  const asked = beat.leave.reason as LeaveAsked;
  assert.deepEqual([asked.code, asked.message, asked.graceSeconds], ['preempted', 'a larger run waits', 60]);
  await once(beat.signal, 'abort');
  assert.equal((beat.signal.reason as RunStopped).why, 'cancelled');
  await beat.end();
});
