// The evaluator's call of the search for triggers: tfjs is loaded only where images are classified.
import { imageFormOf } from '@retraind/shared/verdict/probes';
import type { StatisticalRequest, TriggerAnswer } from '../evaluation.ts';
import type { OnnxModel } from '../onnx/model.ts';
import { heldRecords, type Records } from '../records.ts';

/** Null where it is no classifier of images, or where nobody wants it. `fault`: what is wrong with the model's outputs on them. */
export const askForTriggers = async (
  { task, jobSeed, withoutTriggers }: Pick<StatisticalRequest, 'task' | 'jobSeed' | 'withoutTriggers'>,
  model: OnnxModel,
  test: Records,
  folder: string,
  fault: string | null,
): Promise<TriggerAnswer | null> => {
  if (task !== 'classification' || withoutTriggers || imageFormOf(test.shape) === null) return null;
  if (fault !== null) return { ran: false, why: `dNC not run: it ${fault} on the test set` };
  const { findTriggers } = await import('./triggers.ts');
  return findTriggers(model, heldRecords(test.shape, await test.read(0, test.rows)), jobSeed, folder);
};
