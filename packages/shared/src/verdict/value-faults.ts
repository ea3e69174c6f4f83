// Outputs and true answers that no test may see: NaN, infinity, what is no probability, a label that is no class.
import type { Task } from '../recipe/recipe.ts';
import { labelledSets } from './evidence.ts';
import type { JudgedFile } from './judged.ts';

/** Class probabilities of a row may miss the sum 1 by this much (float32, 1,000 classes). */
const sumTolerance = 1e-3;
/** Slices are numbered from 0; a number above this is no slice but something else. */
const largestSlice = 9_999;

/** What is wrong with outputs (row-major, rows × columns), as "gives NaN …"; null where nothing is. */
export const outputsFault = (task: Task, values: Float32Array, columns: number): string | null => {
  const broken = values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  if (broken > 0) return `gives NaN or infinity in ${broken} of ${values.length} outputs`;
  if (task === 'regression') return null;
  for (const value of values) {
    if (value < -sumTolerance || value > 1 + sumTolerance) return `gives ${value}, which is no probability,`;
  }
  if (task !== 'classification') return null;
  for (let row = 0; row < values.length; row += columns) {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) sum += values[row + column]!;
    if (Math.abs(sum - 1) > sumTolerance) return `gives class probabilities that sum to ${sum}`;
  }
  return null;
};

/** What is wrong with the true answers and slices that came with the shipped file, in one sentence; null where nothing is. */
export const answersFault = (task: Task, { evidence, targets, slices }: JudgedFile): string | null => {
  for (const set of labelledSets) {
    const answers = targets?.[set];
    const shape = evidence.sets[set];
    if (!answers || !shape) continue;
    const expected = task === 'classification' ? shape.rows : shape.rows * shape.columns;
    if (answers.length !== expected) {
      return `the ${set} set has ${answers.length} true answers where ${expected} belong`;
    }
    const isAnswer =
      task === 'classification'
        ? (answer: number) => Number.isInteger(answer) && answer >= 0 && answer < shape.columns
        : Number.isFinite;
    const wrong = answers.find((answer) => !isAnswer(answer));
    if (wrong !== undefined) return `the ${set} set has the true answer ${wrong}, which is none`;
  }
  if (!slices) return null;
  const rows = evidence.sets.test!.rows;
  if (slices.length !== rows) return `the test set has ${slices.length} slice numbers where ${rows} belong`;
  const odd = slices.find((slice) => !(Number.isInteger(slice) && slice >= 0 && slice <= largestSlice));
  return odd === undefined ? null : `the test set has the slice number ${odd}, which is none`;
};
