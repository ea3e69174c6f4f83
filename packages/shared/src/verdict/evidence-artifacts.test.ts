import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evidence } from './evidence.ts';
import { evidenceArtifacts } from './evidence-artifacts.ts';

const bare: Evidence = {
  evaluator: 'e',
  file: { sha256: 'file', bytes: 1 },
  tensorSha256: 'tensors',
  sets: {},
  metric: null,
  logLoss: null,
  faults: [],
};
const ref = (sha256: string) => ({ sha256, rows: 1, columns: 1 });

test('every file that evidence names is found, and no digest that is no file', () => {
  assert.deepEqual(evidenceArtifacts(bare), []);
  const trigger = { class: 3, maskL1: 2, reached: 1 };
  const found = evidenceArtifacts({
    ...bare,
    file: { ...bare.file, companions: [{ path: 'w.bin', sha256: 'w', bytes: 4 }] },
    sets: { test: ref('a'), mix: ref('b') },
    targets: { train: ref('c') },
    slices: ref('d'),
    weights: { sha256: 'e', tensors: [] },
    triggers: {
      ran: true,
      classes: [
        { ...trigger, pictureSha256: 'f' },
        { ...trigger, pictureSha256: null },
      ],
    },
  });
  assert.equal(found.map(({ sha256 }) => sha256).join(''), 'wabcdef');
  assert.equal(found[3]!.what, 'true answers of training data');
  assert.deepEqual(evidenceArtifacts({ ...bare, triggers: { ran: false, why: 'no image' } }), []);
});
