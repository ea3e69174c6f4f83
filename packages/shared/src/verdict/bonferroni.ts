// The family's p over a battery of tests that may depend on each other in any way (Bonferroni 1936; Dunn 1961). The Cauchy
// combination was measured worse here: one-sided p near 1 cancel the small ones.

/** min(1, m · smallest p) for m ≥ 1 tests. H0: every test's null hypothesis holds. */
export const bonferroniP = (ps: readonly number[]): number => Math.min(1, ps.length * Math.min(...ps));
