import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  a100,
  ago,
  demand,
  explained,
  gib,
  heldRun,
  job,
  node,
  now,
  run,
  world,
  worldOf,
} from '../../../../tests/support/world.ts';
import type { JobExplanation } from './explain.ts';
import { slotsOfNode, type World } from './world.ts';

const hour = 3_600;
const failed = ({ runs }: JobExplanation, index = 0): string[] =>
  runs[index]!.slots.flatMap(({ clauses }) =>
    clauses.filter(({ passes }) => !passes).map(({ clause }) => clause),
  );
const told = (one: World, jobId = 'j'): JobExplanation => explained(one, now, jobId)!;

test('each clause refuses by name and with its reason', () => {
  for (const [nodeChange, clause, reason] of [
    [{ approved: false }, 'approved', /waits for the approval of an admin/],
    [{ drainReason: 'dust' }, 'serving', /drained: dust/],
    [{ quarantinedAt: ago(9), drainReason: 'disagrees with b' }, 'serving', /quarantined: disagrees with b/],
    [{ retired: true }, 'serving', /retired/],
    [{ seenAt: ago(31) }, 'seen', /seen 31 s ago/],
    [{ seenAt: null }, 'seen', /never seen/],
    [
      { slots: slotsOfNode(1, [a100]).map((slot) => ({ ...slot, silentUntil: ago(-9) })) },
      'answers',
      /did not begin the last run that it was given; asked again in 9 s/,
    ],
    [{ machine: 'arm64' }, 'machine', /wants amd64; this is arm64/],
    [{ tags: [] }, 'tags', /wants the tag big/],
    [
      { tags: ['big', 'scarce'].map((tag) => ({ tag, mandatory: true })) },
      'tags',
      /kept for work that asks for the tag scarce/,
    ],
    [{ longestRunSeconds: hour }, 'time', /takes runs of at most 1 h; the limit of this one is 2 h/],
    [{ memoryBytes: gib }, 'memory', /4\.00 GiB of memory wanted, 1\.00 GiB there in all/],
    [{ diskFreeBytes: gib }, 'room', /2\.00 GiB of disk wanted, 1\.00 GiB left/],
  ] as const) {
    const wants = {
      memoryBytes: 4 * gib,
      diskBytes: 2 * gib,
      machines: ['amd64'],
      tags: ['big'],
      timeLimitSeconds: 2 * hour,
    };
    const fits = { tags: [{ tag: 'big', mandatory: true }], memoryBytes: 8 * gib, diskFreeBytes: 8 * gib };
    const jobs = [job('j', 1, 'none', { demand: demand('none', wants) })];
    const one = told(worldOf(jobs, [node('a', { ...fits, ...(nodeChange as object) })]));
    assert.equal(failed(one)[0], clause, one.sentence);
    assert.match(one.sentence, reason);
    assert.match(told(worldOf(jobs, [node('a', fits)])).sentence, /about to be placed/);
  }
  const excluded = run('r', 'j', { excludedNodes: [{ nodeId: 'a', reason: 'ECC error' }] });
  const one = told(world({ jobs: [job('j', 1)], runs: [excluded], nodes: [node('a')] }));
  assert.deepEqual(failed(one), ['exclusion']);
  assert.match(one.sentence, /never again here: ECC error/);
});

test('a busy slot is refused and its holder named; waiting for a time is said', () => {
  const jobs = [job('j', 5), job('k', 9)];
  const one = told(world({ jobs, runs: [heldRun('held', 'k', 'a'), run('r', 'j')], nodes: [node('a')] }));
  assert.match(
    one.sentence,
    /every slot that fits is busy \(1 of 1\); expected to start in about 3 h 59 min/,
  );
  assert.match(
    one.runs[0]!.slots[0]!.clauses.find(({ clause }) => clause === 'free')!.reason,
    /busy with run held/,
  );
  const later = run('r', 'j', { notBefore: new Date(now.getTime() + 60_000) });
  assert.match(told(world({ jobs, runs: [later], nodes: [node('a')] })).sentence, /tried again in 1 min/);
  assert.match(told(world({ jobs, runs: [run('r', 'j')] })).sentence, /no node is registered/);
});

test('jobs that wait for something tell what for', () => {
  const waiting = job('j', 1, 'none', { state: 'data-wait', reason: 'dataset-x is not in the archive' });
  const one = world({ jobs: [waiting], runs: [run('r', 'j')], nodes: [node('a')] });
  assert.equal(told(one).sentence, 'The job is in data-wait: dataset-x is not in the archive.');
  assert.equal(told(one).licence, 'licence: not evaluated');
  assert.equal(explained(one, now, 'unknown'), null);
  const again = job('j', 60, 'none', { reason: 'the overlay changed: job i is attempted' });
  assert.match(
    told(worldOf([again], [node('a')])).sentence,
    /^Asked for 1 min ago \(the overlay changed: job i is attempted\); /,
  );
  const paused = job('j', 1, 'none', { releasePaused: 'the release of sid is paused: freeze' });
  assert.match(
    told(worldOf([paused], [node('a')])).sentence,
    /run rj waits: the release of sid is paused: freeze\.$/,
  );
});

test('place, nearest miss and what runs', () => {
  const one = told(
    world({
      jobs: [job('old', 100, 'cuda'), job('j', 65, 'cuda:sm_90')],
      runs: [run('o', 'old'), run('r', 'j'), { ...heldRun('s', 'j', 'a'), seedIndex: 2 }],
      nodes: [node('b'), node('a', { slots: slotsOfNode(1, [a100]) })],
    }),
  );
  assert.match(
    one.sentence,
    /^Asked for 1 min 5 s ago; 1 of its runs is running; run r \(place 2\) waits: no slot fits; nearest is node b slot 0: wants cuda:sm_90; the slot has no accelerator/,
  );
  assert.deepEqual(
    one.runs.map(({ runId, state, place }) => [runId, state, place]),
    [
      ['r', 'waiting', 2],
      ['s', 'leased', null],
    ],
  );
  assert.equal(one.runs[1]!.sentence, 'runs on node a slot 0');
  assert.equal(one.runs[0]!.expectedAt, null, 'nothing that serves fits it');
});

test('the expected start counts what runs and what is ahead, spread over the slots that fit', () => {
  const lasts = (jobId: string, age: number, hours: number) =>
    job(jobId, age, 'none', { demand: demand('none', { estimateSeconds: hours * hour }), priority: hours });
  const jobs = [lasts('x', 99, 2), lasts('y', 99, 4), lasts('ahead', 50, 1), lasts('j', 10, 1)];
  const runs = [
    { ...heldRun('rx', 'x', 'a', 0), leasedAt: now },
    { ...heldRun('ry', 'y', 'a', 1), leasedAt: now },
    run('rahead', 'ahead'),
    run('rj', 'j'),
  ];
  const one = told(world({ jobs, runs, nodes: [node('a', { slots: slotsOfNode(2, []) })] }));
  // (2 h + 4 h + 1 h) / 2
  assert.equal(one.runs[0]!.expectedAt?.getTime(), now.getTime() + 3.5 * hour * 1_000);
  assert.equal(one.runs[0]!.place, 2);
  const next = told(world({ jobs, runs, nodes: [node('a', { slots: slotsOfNode(2, []) })] }), 'ahead');
  assert.equal(next.runs[0]!.expectedAt?.getTime(), now.getTime() + 3 * hour * 1_000);
});

test('kept room, a spent budget and a coming move are said', () => {
  const large = job('large', 86_400, 'none', { demand: demand('none', { memoryBytes: 10 * gib }) });
  const small = job('j', 1, 'none', {
    demand: demand('none', { memoryBytes: 2 * gib, timeLimitSeconds: 9 * hour }),
  });
  const tenant = job('t', 9, 'none', {
    demand: demand('none', { memoryBytes: gib, timeLimitSeconds: hour }),
  });
  const one = world({
    jobs: [large, small, tenant],
    runs: [run('rl', 'large'), run('r', 'j'), heldRun('x', 't', 'a', 1)],
    nodes: [node('a', { memoryBytes: 10 * gib, slots: slotsOfNode(2, []) })],
  });
  assert.match(
    told(one).sentence,
    /room is kept for run rl, which is too large .* expected to start in 59 min/,
  );
  assert.match(
    told(one, 'large').sentence,
    /9\.00 GiB left beside other runs; room is kept for it; expected to start/,
  );

  const spent = {
    account: 'suite:sid' as const,
    unit: 'gpu' as const,
    limitSeconds: 0,
    spentSeconds: 0,
    reservedSeconds: 0,
  };
  const gpu = node('a', { slots: slotsOfNode(1, [a100]) });
  const moving = told(worldOf([job('j', 1, 'cuda')], [gpu], { budgets: [spent] }));
  assert.match(moving.sentence, /about to be budget-wait: Waits for GPU-hours/);
  assert.deepEqual(failed(moving), ['budget']);
});
