// Which node computes wrongly. A sick GPU or bad memory crashes nothing: it gives other bytes. Where a recipe gives the same
// bytes on two nodes for the same seed, arithmetic, data, class and engine, it is reproducible there, and a third node that
// gives others is contradicted. Two nodes alone decide nothing: either may be wrong, or the recipe is not reproducible.
//
//   digests of one seed by node        a a b → b is contradicted        a b, a b c → nobody        a a b b → nobody
//
// Twice contradicted, in two runs, a node is quarantined and its results from the first contradiction on are void.

/** What a run reported of one model. */
export interface SeedResult {
  runId: string;
  jobId: string;
  model: string;
  /** Equal where equal bytes are to be expected: seed, arithmetic, whether the data was shortened, class, engine. */
  sameness: string;
  nodeId: string;
  sha256: string;
  endedAt: Date;
}

export interface Contradiction {
  nodeId: string;
  runId: string;
  jobId: string;
  model: string;
  endedAt: Date;
  /** Its digest, and the one that the others agree on. */
  sha256: string;
  agreedSha256: string;
  /** Two at least. */
  agreedBy: string[];
}

const leastAgreement = 2;
/** Contradicted runs after which a node is quarantined. */
export const contradictionsThatQuarantine = 2;

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Every result that two or more other nodes contradict, oldest first. */
export function contradictions(results: readonly SeedResult[]): Contradiction[] {
  const groups = grouped(results, ({ jobId, model, sameness }) => JSON.stringify([jobId, model, sameness]));
  return [...groups.values()]
    .flatMap(contradictionsOfGroup)
    .sort((a, b) => a.endedAt.getTime() - b.endedAt.getTime() || (a.runId < b.runId ? -1 : 1));
}

function contradictionsOfGroup(results: SeedResult[]): Contradiction[] {
  const digestsOf = new Map<string, Set<string>>();
  for (const { nodeId, sha256 } of results) {
    digestsOf.set(nodeId, (digestsOf.get(nodeId) ?? new Set()).add(sha256));
  }
  // A node that differs from itself vouches for nothing.
  const vouchers = new Map<string, string[]>();
  for (const [nodeId, digests] of digestsOf) {
    const [sha256] = digests;
    if (digests.size === 1) vouchers.set(sha256!, [...(vouchers.get(sha256!) ?? []), nodeId]);
  }
  const agreed = [...vouchers].filter(([, nodes]) => nodes.length >= leastAgreement);
  if (agreed.length !== 1) return [];
  const [agreedSha256, agreedBy] = agreed[0]!;
  return results
    .filter(({ sha256 }) => sha256 !== agreedSha256)
    .map(({ runId, jobId, model, nodeId, sha256, endedAt }) => ({
      ...{ runId, jobId, model, nodeId, sha256, endedAt },
      agreedSha256,
      agreedBy: [...agreedBy].sort(),
    }));
}

/** Nodes to be quarantined, each with what contradicts it; two models of one run count once. */
export function nodesToQuarantine(results: readonly SeedResult[]): Map<string, Contradiction[]> {
  const byNode = grouped(contradictions(results), ({ nodeId }) => nodeId);
  return new Map(
    [...byNode].filter(
      ([, found]) => new Set(found.map(({ runId }) => runId)).size >= contradictionsThatQuarantine,
    ),
  );
}

/** Why, in one sentence. */
export function quarantineReason(found: readonly Contradiction[]): string {
  const said = found.map(
    ({ runId, model, agreedBy }) => `${model} of run ${runId} (${agreedBy.join(', ')} agree on another)`,
  );
  return `its results differ from what two other nodes of its class give for the same seed: ${said.slice(0, 4).join('; ')}`;
}
