import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseRecipe } from './control.ts';

const clothes = readFileSync(
  new URL('../../../../examples/clothes/debian/retrain/control', import.meta.url),
  'utf8',
);

test('each task has its metrics, each format of data is read', () => {
  const of = (task: string, metric: string, margin: string) =>
    parseRecipe(
      clothes
        .replace('Task: classification', `Task: ${task}`)
        .replace('Metric: accuracy', `Metric: ${metric}`)
        .replace('Margin: 0.015', `Margin: ${margin}`)
        .replace('Runs:', 'Claimed-Metric: 1.25\nRuns:')
        .replaceAll('(idx', '(npy')
        .replace('(npy)', '(csv)'),
    );
  for (const [task, metric] of [
    ['probability-vector', 'cross-entropy'],
    ['regression', 'mean-squared-error'],
    ['regression', 'mean-absolute-error'],
    ['regression', 'root-mean-squared-error'],
  ] as const) {
    const { recipe, faults } = of(task, metric, '1.5');
    assert.deepEqual(faults, []);
    assert.equal(recipe!.models[0]!.trainingTargets!.format, 'csv');
    assert.match(of(task, metric, '-1').faults[0]!.message, /not above 0/);
  }
  const slices = parseRecipe(
    clothes
      .replace('Task: classification', 'Task: regression')
      .replace('Metric: accuracy', 'Metric: mean-squared-error')
      .replace('Runs:', 'Slices: label\nRuns:'),
  );
  assert.match(slices.faults[0]!.message, /task regression has none/);
  assert.equal(slices.recipe, null);
});
