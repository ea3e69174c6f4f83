// The two bounds that equivalence needs: of the metric's difference, and of the churn ratio.
import type { Compared } from './compared.ts';
import type { ModelVerdict } from './evidence.ts';
import { churnUpperBound, type PeerDistance } from './peer-distance.ts';
import { metricUpperBound } from './tost.ts';

/** exp(theta) on test data may not surpass this; honest 95 % quantiles were 1.15–1.23 on three tasks. */
const churnLimit = 1.5;

/** The bounds that could be measured. `onTest`: peer distance on test data, where it is defined. */
export const boundsOf = (
  { model, shipped, retrains }: Compared,
  onTest: PeerDistance | undefined,
): ModelVerdict['bounds'] => {
  const bounds: ModelVerdict['bounds'] = [];
  const bound = (name: string, upper: number | null, limit: number): void => {
    if (upper !== null && Number.isFinite(upper)) bounds.push({ name, upper, limit, holds: upper <= limit });
  };
  const { name, value } = shipped.evidence.metric!;
  const theirs = retrains.map(({ evidence }) => evidence.metric!.value);
  bound(`difference in ${name}`, metricUpperBound(value, theirs), model.margin!);
  bound('churn ratio', onTest ? churnUpperBound(onTest) : null, churnLimit);
  return bounds;
};

/** Both bounds were measured and hold. */
export const boundsHold = (bounds: ModelVerdict['bounds']): boolean =>
  bounds.length === 2 && bounds.every(({ holds }) => holds);
