import assert from 'node:assert/strict';

/** Asserts that the largest |a - b| is below `tolerance` of the largest |b| (at least of 1). */
export function tellDistance(
  what: string,
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
): void {
  assert.equal(actual.length, expected.length, `${what}: as many values`);
  const size = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  let worst = 0;
  for (const [i, value] of actual.entries()) {
    const far = Math.abs(value - expected[i]!) / size;
    worst = far > worst || Number.isNaN(far) ? far : worst;
  }
  assert.ok(worst < tolerance, `${what}: off by ${worst} of the largest value`);
}
