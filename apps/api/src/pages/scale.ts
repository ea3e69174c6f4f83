// Axes of the server-drawn charts: round ticks, and the line from values to pixels.

/** About `count` round values (1, 2 or 5 times a power of ten) that cover [low, high]. */
export function ticks(low: number, high: number, count = 5): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Multiples of the step, rounded to it: 0.30000000000000004 is no label.
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(Math.min(decimals, 20))),
  );
}

/** A linear map of [low, high] to [from, to]; all to the middle where the values do not differ. */
export const scale =
  (low: number, high: number, from: number, to: number) =>
  (value: number): number =>
    high > low ? from + ((value - low) / (high - low)) * (to - from) : (from + to) / 2;

/** A pixel with one decimal: a hundredth of one cannot be seen and costs bytes. */
export const pixel = (value: number): string => String(Math.round(value * 10) / 10);
