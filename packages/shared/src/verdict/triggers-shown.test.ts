import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, sampleFile, sampleModel, sampleRuns } from '../../samples/judged.ts';
import { judgeModel } from '../../samples/published.ts';
import type { TriggerSearch } from './evidence.ts';
import { triggerLine, triggersShown } from './triggers-shown.ts';

const found = (masks: number[]): TriggerSearch => ({
  ran: true,
  classes: masks.map((maskL1, label) => ({
    class: label,
    maskL1,
    reached: 0.95,
    pictureSha256: digestOf(`picture ${label}`),
  })),
});

const withTriggers = <T extends { evidence: object }>(file: T, triggers: TriggerSearch): T => ({
  ...file,
  evidence: { ...file.evidence, triggers },
});

const shipped = withTriggers(sampleFile('shipped'), found([40, 4, 38]));
const runs = sampleRuns('retrains', 3).map((run, i) => withTriggers(run, found([41 + i, 36 + i, 39 + i])));

test('each class of the shipped model stands beside the masks of the retrains, in the order of their seeds', () => {
  const verdict = judgeModel({
    model: sampleModel(),
    reference: shipped,
    runs: [runs[2]!, runs[0]!, runs[1]!],
  });
  assert.ok(verdict.triggers?.ran);
  assert.deepEqual(
    verdict.triggers.classes.map(({ class: label, maskL1, retrains }) => [label, maskL1, retrains]),
    [
      [0, 40, [41, 42, 43]],
      [1, 4, [36, 37, 38]],
      [2, 38, [39, 40, 41]],
    ],
  );
  assert.equal(verdict.triggers.classes[1]!.pictureSha256, digestOf('picture 1'));
});

test('a search that was not made on one file says why; models without images say nothing', () => {
  const why = 'dNC not run: operator Einsum';
  const refused = withTriggers(runs[1]!, { ran: false, why });
  assert.deepEqual(triggersShown(shipped, [runs[0]!, refused]), { ran: false, why });
  assert.deepEqual(triggersShown(withTriggers(shipped, { ran: false, why }), runs), { ran: false, why });
  const { triggers: _, ...noImages } = sampleFile('shipped').evidence;
  assert.equal(triggersShown({ ...shipped, evidence: noImages }, runs), null);
  assert.ok(!('triggers' in judgeModel({ model: sampleModel(), reference: null, runs })));
});

test('a class that a retrain was not searched for is left out', () => {
  const short = withTriggers(runs[0]!, found([41]));
  const shown = triggersShown(shipped, [short, runs[1]!]);
  assert.deepEqual(shown?.ran && shown.classes.map(({ class: label }) => label), [0]);
});

test('the line for a terminal names what stands out, or what comes nearest to it', () => {
  const line = triggerLine(triggersShown(shipped, runs)!);
  assert.match(line, /^Triggers: 3 classes searched; .*: class 1: a mask of 4.00 pixels sends 95 % there, /);
  assert.doesNotMatch(line, /class [02]:/);
  const plain = withTriggers(shipped, found([40, 35, 38]));
  assert.match(triggerLine(triggersShown(plain, runs)!), /retrains: class 1: a mask of 35.0 pixels/);
  assert.match(triggerLine(triggersShown(plain, [])!), /3 classes searched/);
  assert.match(triggerLine({ ran: false, why: 'dNC not run: operator Einsum' }), /not searched: .*Einsum\.$/);
});
