// Whether the held-out set has examples enough of every class. Retrains, not examples, are the unit of replication; but what a rare
// class does can hardly be seen, and a verdict must say so. Source: docs/explanation/verdicts.md, the size of the evaluation.
import type { ClassExamples } from './evidence.ts';

/** Fewer examples of a class than this: nothing is decided. */
const fewest = 30;
/** Fewer than this: decided, with a warning. */
const ample = 100;

/** What is said of a held-out set, in one sentence without a full stop; both null where it has enough, or was not counted. */
export interface Scarcity {
  /** Why neither equivalence nor difference is decided. */
  tooFew: string | null;
  warning: string | null;
}

/** Judges the counts of one evaluation; a set with one class or none is an obstacle of its own (obstacle.ts). */
export const scarcityOf = (examples: ClassExamples | undefined): Scarcity => {
  if (!examples?.rarest) return { tooFew: null, warning: null };
  const { classes, present, rarest } = examples;
  const has = `class ${rarest.class} has ${rarest.examples} example${rarest.examples === 1 ? '' : 's'} in the held-out set`;
  if (rarest.examples < fewest) {
    return { tooFew: `${has}; below ${fewest} nothing is decided`, warning: null };
  }
  const warnings = [];
  if (rarest.examples < ample) warnings.push(`${has}; below ${ample} differences are often missed`);
  if (present < classes) {
    warnings.push(`${classes - present} of ${classes} classes have no example in the held-out set`);
  }
  return { tooFew: null, warning: warnings.join('; ') || null };
};
