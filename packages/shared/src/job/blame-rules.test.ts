import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ProblemCode, problemTable } from '../wire/problems.ts';
import { blameRules, failureText, followUpOf, judgeMishap, type TargetEnd } from './blame-rules.ts';
import { blames, runSteps } from './states.ts';

test('blame by step and code', () => {
  for (const [step, code, blame] of [
    ['fetch', 'not-found', 'data'],
    ['fetch', 'digest-mismatch', 'data'],
    ['unpack', 'invalid-archive', 'recipe'],
    ['unpack', 'dep-wait', 'recipe'],
    ['train', 'recipe-failed', 'recipe'],
    ['train', 'disk-full', 'node'],
    ['train', 'device-fault', 'node'],
    ['evaluate', 'invalid-model', 'recipe'],
    ['report', 'farm-unreachable', 'farm'],
    ['report', 'conflict', 'farm'],
    ['train', 'internal', 'farm'],
  ] as const) {
    const judgement = judgeMishap({ step, code });
    assert.deepEqual([judgement.blame, judgement.code], [blame, code], `${step} ${code}`);
  }
  for (const step of runSteps) {
    for (const code of Object.keys(problemTable) as ProblemCode[])
      assert.ok(blames.includes(judgeMishap({ step, code }).blame));
  }
});

const ended: TargetEnd = {
  endedBy: null,
  signal: null,
  log: 'make: *** [debian/rules:9: bootstrap] Error 1\n',
  tempfail: null,
  resumed: false,
  nodeDiskFull: false,
};

test('blame by how the target ended', () => {
  const table: [Partial<TargetEnd>, string, string][] = [
    [{}, 'recipe recipe-failed', 'attempted'],
    [{ signal: 'SIGSEGV' }, 'recipe recipe-failed', 'attempted'],
    [{ signal: 'SIGKILL' }, 'node out-of-memory', 'elsewhere'],
    [{ log: 'make: *** [debian/rules:9: bootstrap] Killed\n' }, 'node out-of-memory', 'elsewhere'],
    [{ endedBy: 'silence-limit' }, 'recipe limit-exceeded', 'attempted'],
    [{ endedBy: 'output-limit' }, 'recipe limit-exceeded', 'attempted'],
    [{ endedBy: 'cancelled' }, 'cancelled run-cancelled', 'cancelled'],
    [{ tempfail: 'device lost' }, 'node try-elsewhere', 'elsewhere'],
    [
      { log: 'RuntimeError: CUDA error: uncorrectable ECC error encountered\nmake: *** Error 1\n' },
      'node device-fault',
      'other-node',
    ],
    [
      {
        log: '[ 12.3] NVRM: Xid (PCI:0000:03:00): 79, GPU has fallen off the bus.\n',
        endedBy: 'silence-limit',
      },
      'node device-fault',
      'other-node',
    ],
    [{ log: 'CUDA error: no CUDA-capable device is detected' }, 'node device-fault', 'other-node'],
    [
      {
        log: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7.79 GiB',
      },
      'node device-memory',
      'larger-class',
    ],
    [
      {
        log: 'ResourceExhaustedError: OOM when allocating tensor with shape[64,512] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc',
      },
      'node device-memory',
      'larger-class',
    ],
    [
      {
        log: 'OOM when allocating tensor with shape[64,512] and type float on /job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu',
      },
      'recipe recipe-failed',
      'attempted',
    ],
    [{ log: 'cp: error writing: No space left on device' }, 'recipe recipe-failed', 'attempted'],
    [
      { log: 'cp: error writing: No space left on device', nodeDiskFull: true },
      'node disk-full',
      'elsewhere',
    ],
    [{ resumed: true }, 'farm resume-failed', 'from-start'],
    [{ resumed: true, endedBy: 'time-limit' }, 'recipe limit-exceeded', 'attempted'],
  ];
  for (const [change, said, then] of table) {
    const { blame, code } = judgeMishap({ step: 'train', target: { ...ended, ...change } });
    assert.equal(`${blame} ${code}`, said, JSON.stringify(change));
    assert.equal(followUpOf(blame, code), then, JSON.stringify(change));
  }
});

test('read backwards, the table says of a report what it said of the mishap', () => {
  for (const rule of blameRules) {
    for (const code of rule.code ? [rule.code] : rule.when.codes!) {
      assert.equal(followUpOf(rule.blame, code), rule.followUp, `${rule.name}: ${code}`);
      assert.ok(code in problemTable);
    }
    assert.ok(rule.why.length > 20, rule.name);
  }
  assert.equal(new Set(blameRules.map(({ name }) => name)).size, blameRules.length);
});

test('every log is judged, and quickly', () => {
  const log = fc.string({ maxLength: 2_000 });
  fc.assert(
    fc.property(log, fc.boolean(), (text, resumed) => {
      const { rule } = judgeMishap({ step: 'train', target: { ...ended, log: text, resumed } });
      assert.notEqual(rule, null);
    }),
  );
  const long = 'OOM when allocating tensor '.repeat(10_000);
  const began = performance.now();
  judgeMishap({ step: 'train', target: { ...ended, log: long } });
  assert.ok(performance.now() - began < 2_000);
});

test('two failures are alike whatever numbers and addresses they name', () => {
  const one = failureText(
    'epoch 3 loss 0.25\nSegfault at 0xdeadbeef in 12.5 s\n\nmake: *** [debian/rules:9] Error 1\n',
  );
  const two = failureText('epoch 3 loss 0.31\nSegfault at 0x7f in 9 s\nmake: *** [debian/rules:9] Error 1');
  assert.equal(one, two);
  assert.notEqual(one, failureText('epoch 3 loss 0.25\nBus error\n'));
  assert.equal(failureText(`${'x\n'.repeat(1000)}end`).split('\n').length, 12);
});
