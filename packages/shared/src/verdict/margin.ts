// Whether a registered margin can decide anything. The recipe's parser refuses the same; a verdict does not lean on that.
import { metricsOfTask } from '../recipe/metrics.ts';
import type { RecipeModel } from '../recipe/recipe.ts';

/** What is wrong with the registered margin (units of the metric), without a full stop; null where nothing is. */
export const marginFault = ({ task, metric, margin }: RecipeModel): string | null => {
  if (margin === null) return 'the recipe registers no Margin';
  if (!Number.isFinite(margin) || margin <= 0) return `the registered Margin of ${margin} is not above 0`;
  const metrics = metricsOfTask[task];
  const range = metric !== null && Object.hasOwn(metrics, metric) ? metrics[metric]! : null;
  if (range === null || margin < range) return null;
  return `the registered Margin of ${margin} is as wide as the range of ${metric} (${range}): every model would pass`;
};
