// Learning rates that change with the step.

/**
 * The rate of a step (1 … steps). A function of these two only: a resumed run asks for the same steps again, and a checkpoint
 * whose rates were others is refused.
 */
export type Schedule = (step: number, steps: number) => number;

/** The same rate throughout. */
export const constantRate =
  (rate: number): Schedule =>
  () =>
    rate;

/** `rate`, multiplied by `factor` after each `every` steps. */
export const steppedRate =
  (rate: number, { every, factor = 0.1 }: { every: number; factor?: number }): Schedule =>
  (step) =>
    rate * factor ** Math.floor((step - 1) / every);

/** From `rate` down to `floor` by half a cosine over all steps (Loshchilov and Hutter 2017, without restarts). */
export const cosineRate =
  (rate: number, { floor = 0 }: { floor?: number } = {}): Schedule =>
  (step, steps) =>
    floor + ((rate - floor) * (1 + Math.cos((Math.PI * (step - 1)) / Math.max(1, steps - 1)))) / 2;

/** The first `count` steps rise in equal parts to what `then` gives; it counts the steps after them. */
export const warmUp =
  (count: number, then: Schedule): Schedule =>
  (step, steps) =>
    step <= count ? (then(1, steps - count) * step) / (count + 1) : then(step - count, steps - count);
