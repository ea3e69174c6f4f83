// Which node computes wrongly. A sick GPU or bad memory crashes nothing: it gives other bytes. Where two nodes give the same bytes for
// the same seed, arithmetic, data, class and engine, and a third gives others, that third one is contradicted, if the recipe is
// reproducible there without it. Two nodes alone decide nothing: either may be wrong, or the recipe is not reproducible.
//
//   digests of one seed by node        a a b → b is contradicted        a b, a b c → nobody        a a b b → nobody
//   of two seeds                       a a b, a b a → nobody: without either of the accused the others still differ
//
// Contradicted in two packages, a node is quarantined and its results since the last that others agree with are void. One package alone
// never quarantines: it may give two outcomes at random, and then the odd one out of three honest nodes is anybody.

/** What a run reported of one model. */
export interface SeedResult {
  runId: string;
  jobId: string;
  source: string;
  model: string;
  /** Class and engine: in which a recipe is reproducible or not. */
  setting: string;
  /** Equal where equal bytes are to be expected: setting, seed, arithmetic, whether the data was shortened. */
  sameness: string;
  nodeId: string;
  sha256: string;
  endedAt: Date;
}

export interface Contradiction {
  nodeId: string;
  runId: string;
  jobId: string;
  source: string;
  model: string;
  endedAt: Date;
  /** Its digest, and the one that the others agree on. */
  sha256: string;
  agreedSha256: string;
  /** Two at least. */
  agreedBy: string[];
}

const leastAgreement = 2;
/** Packages that must contradict a node before it is quarantined. */
export const packagesThatQuarantine = 2;

export function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Results that would be equal on sound nodes of a reproducible recipe. */
export const groupsOf = (results: readonly SeedResult[]): SeedResult[][] => [
  ...grouped(results, ({ jobId, model, sameness }) => JSON.stringify([jobId, model, sameness])).values(),
];

const digestsOf = (results: readonly SeedResult[]): Set<string> =>
  new Set(results.map(({ sha256 }) => sha256));
const nodesOf = (results: readonly SeedResult[]): string[] =>
  [...new Set(results.map(({ nodeId }) => nodeId))].sort();
const without = (results: readonly SeedResult[], nodeId: string): SeedResult[] =>
  results.filter((one) => one.nodeId !== nodeId);

/** Whether all results of equal seeds are equal, those of one node left out. */
const agreeWithout = (groups: readonly SeedResult[][], nodeId: string): boolean =>
  groups.every((group) => digestsOf(without(group, nodeId)).size <= 1);

/**
 * Whether a recipe was shown not to be reproducible in a setting: whichever node is left out, others still differ. All results are of
 * one job and setting.
 */
export const isIrreproducible = (results: readonly SeedResult[]): boolean => {
  const groups = groupsOf(results);
  return nodesOf(results).length > 2 && !nodesOf(results).some((nodeId) => agreeWithout(groups, nodeId));
};

/** Every result that two or more other nodes contradict, oldest first. */
export function contradictions(results: readonly SeedResult[]): Contradiction[] {
  const settings = grouped(results, ({ jobId, setting }) => JSON.stringify([jobId, setting]));
  return [...settings.values()]
    .flatMap(contradictionsOfSetting)
    .sort((a, b) => a.endedAt.getTime() - b.endedAt.getTime() || (a.runId < b.runId ? -1 : 1));
}

function contradictionsOfSetting(results: readonly SeedResult[]): Contradiction[] {
  const groups = groupsOf(results);
  return nodesOf(results)
    .filter((nodeId) => agreeWithout(groups, nodeId))
    .flatMap((nodeId) => groups.flatMap((group) => contradictionsOfNode(group, nodeId)));
}

/** The results of a group in which all others agree, as far as they are this node's and other than theirs. */
function contradictionsOfNode(group: readonly SeedResult[], nodeId: string): Contradiction[] {
  const others = without(group, nodeId);
  const agreedBy = nodesOf(others);
  if (agreedBy.length < leastAgreement) return [];
  const agreedSha256 = others[0]!.sha256;
  return group
    .filter((one) => one.nodeId === nodeId && one.sha256 !== agreedSha256)
    .map(({ sameness: _, setting: __, ...told }) => ({ ...told, agreedSha256, agreedBy }));
}

/** Whether what contradicts a node is enough. */
export const quarantines = (found: readonly Contradiction[]): boolean =>
  new Set(found.map(({ source }) => source)).size >= packagesThatQuarantine;

/**
 * When a node was last seen to compute soundly: the end of the last of its results that another node agrees with, before the first one
 * that contradicts it. What it gave later is in doubt; null: all of it is.
 */
export function lastSoundAt(
  results: readonly SeedResult[],
  nodeId: string,
  found: readonly Contradiction[],
): Date | null {
  const firstWrong = Math.min(...found.map(({ endedAt }) => endedAt.getTime()));
  const sound = groupsOf(results)
    .flatMap((group) => {
      const others = digestsOf(without(group, nodeId));
      return group.filter((one) => one.nodeId === nodeId && others.has(one.sha256));
    })
    .map(({ endedAt }) => endedAt.getTime())
    .filter((endedAt) => endedAt < firstWrong);
  return sound.length === 0 ? null : new Date(Math.max(...sound));
}

/** Why, in one sentence. */
export function quarantineReason(found: readonly Contradiction[]): string {
  const said = found.map(
    ({ runId, source, model, agreedBy }) =>
      `${model} of ${source}, run ${runId} (${agreedBy.join(', ')} agree on another)`,
  );
  return `its results differ from what two other nodes of its class give for the same seed: ${said.slice(0, 4).join('; ')}`;
}
