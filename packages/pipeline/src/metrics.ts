// JSON lines to $RETRAIN_METRICS (docs/reference/recipe.md): the farm draws curves and progress bars from them.
import { appendFileSync } from 'node:fs';
import { run } from './run.ts';

/** Finite numbers and short texts under names; `progress` (0 … 1), `step`, `loss`, `epoch` and `tempfail` are known names. */
export type MetricsLine = Record<string, number | string>;

/** Appends one line. Written at once, and whole: a reader never sees half of it. */
export function writeMetrics(line: MetricsLine): void {
  if (run.metrics !== null) appendFileSync(run.metrics, `${JSON.stringify(line)}\n`);
}
