// The slices of the held-out set: groups of records that the recipe names, each judged by itself.

/** `slices` has one whole number ≥ 0 a row: the slices that have rows, ascending, with their rows. */
export const rowsOfSlices = (slices: Float32Array): { slice: number; rows: number[] }[] => {
  const known = new Map<number, number[]>();
  for (const [row, slice] of slices.entries()) {
    const rows = known.get(slice);
    if (rows) rows.push(row);
    else known.set(slice, [row]);
  }
  return [...known].map(([slice, rows]) => ({ slice, rows })).sort((a, b) => a.slice - b.slice);
};
