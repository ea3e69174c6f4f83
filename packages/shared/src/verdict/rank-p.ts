// Rank (conformal) p-values: they assume nothing but exchangeability, and so cannot fall below 1 / (k + 1). Printed beside the
// t tests for readers who trust no model; they never decide (a 1 % test would need 99 retrains).
// Source: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005.

/** (1 + #{T_i ≥ T_S}) / (k + 1), where large means unlike. H0: the shipped score is exchangeable with the k retrains' scores. */
export const rankP = (shipped: number, retrains: readonly number[]): number =>
  (1 + retrains.filter((score) => score >= shipped).length) / (retrains.length + 1);
