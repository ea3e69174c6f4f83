import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Palette } from './output.ts';
import { type JudgedModel, verdictNotes } from './verdict-view.ts';

const plain = (text: string): string => text;
const color: Palette = { good: plain, bad: plain, doubtful: plain, dim: plain, bold: plain };

const judged: JudgedModel = {
  source: 'clothes',
  version: '1.0-1',
  pictureAt: (sha256) => (sha256.startsWith('7') ? `/results/pictures/${sha256.slice(0, 4)}.png` : null),
  verdict: {
    model: 'clothes',
    rung: 'different',
    sentence: 'clothes: shipped and declared pipeline disagree.',
    k: 3,
    seeds: [1, 2, 3],
    shipped: null,
    retrains: [],
    registered: null,
    margin: 0.015,
    metric: null,
    tests: [],
    familyP: 0.0001,
    alpha: 0.002,
    churnRatio: null,
    bounds: [],
    alarms: [
      { name: 'trigger-like', detail: 'a mask of 5.5 pixels', class: 7, pictureSha256: '7'.repeat(64) },
      { name: 'trigger-like', detail: 'patches', class: 8, pictureSha256: '8'.repeat(64) },
      { name: 'claimed-metric', detail: 'the recipe claims 0.9' },
    ],
    limits: ['It is not said which of the two is wrong.'],
    taints: [],
    reasons: [],
    moreRuns: 0,
  },
};

test('alarms are told with their class, words and picture, where somebody has it', () => {
  const lines = verdictNotes([judged], color).split('\n');
  const at = lines.indexOf('  alarm trigger-like (class 7): a mask of 5.5 pixels');
  assert.ok(at > 0);
  assert.equal(lines[at + 1], '    picture of the trigger: /results/pictures/7777.png');
  assert.equal(lines[at + 2], '  alarm trigger-like (class 8): patches');
  assert.equal(lines[at + 3], '  alarm claimed-metric: the recipe claims 0.9');
  assert.ok(lines.includes('  - It is not said which of the two is wrong.'));
});

test('a limit that many verdicts share is printed once', () => {
  const lines = verdictNotes([judged, judged], color).split('\n');
  assert.equal(lines.filter((line) => line.includes('which of the two is wrong')).length, 1);
});
