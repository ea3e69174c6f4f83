// Debian version numbers: [epoch:]upstream[-revision], and their order.
// Source: Debian Policy 5.6.12, deb-version(7); the order is that of dpkg's lib/dpkg/version.c.

export interface DebianVersion {
  epoch: number;
  upstream: string;
  /** '' where the version has none (native), which orders as 0. */
  revision: string;
}

/** dpkg keeps epochs in an int. */
const maxEpoch = 2_147_483_647;

/** The parts of a version, or null where the text is no version by Policy 5.6.12. */
export function parseVersion(text: string): DebianVersion | null {
  const match = /^(?:(\d{1,10}):)?(\d[A-Za-z0-9.+:~-]*)$/.exec(text);
  if (match === null || text.length > 1_000) return null;
  const epoch = Number(match[1] ?? 0);
  if (epoch > maxEpoch) return null;
  const rest = match[2]!;
  const hyphen = rest.lastIndexOf('-');
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  if (hyphen >= 0 && !/^[A-Za-z0-9+.~]+$/.test(revision)) return null;
  if (match[1] === undefined && upstream.includes(':')) return null;
  return { epoch, upstream, revision };
}

/** The version as file names carry it: without the epoch. */
export const versionWithoutEpoch = (text: string): string => text.replace(/^\d+:/, '');

/** Upstream version of a Debian version: without epoch and revision, as `.orig` tarballs carry it. */
export function upstreamVersion(text: string): string {
  const bare = versionWithoutEpoch(text);
  const hyphen = bare.lastIndexOf('-');
  return hyphen < 0 ? bare : bare.slice(0, hyphen);
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** Weight of the character at `index` in the non-digit part: `~` before the end, the end before letters, letters before the rest. */
function weight(text: string, index: number): number {
  if (index >= text.length) return 0;
  const code = text.charCodeAt(index);
  if (isDigit(code)) return 0;
  if (isLetter(code)) return code;
  return code === 126 ? -1 : code + 256;
}

/** Order of two upstream versions or two revisions: non-digit and digit parts by turns. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return Math.sign(difference);
      i++;
      j++;
    }
    while (a[i] === '0') i++;
    while (b[j] === '0') j++;
    const startA = i;
    const startB = j;
    while (i < a.length && isDigit(a.charCodeAt(i))) i++;
    while (j < b.length && isDigit(b.charCodeAt(j))) j++;
    // As text, not as numbers: dates and hashes in versions pass 2^53.
    const lengths = i - startA - (j - startB);
    if (lengths !== 0) return Math.sign(lengths);
    const digitsA = a.slice(startA, i);
    const digitsB = b.slice(startB, j);
    if (digitsA !== digitsB) return digitsA < digitsB ? -1 : 1;
  }
  return 0;
}

/** Leniently splits any text, so that a malformed version in an archive still has a place in the order. */
function split(text: string): DebianVersion {
  const colon = /^(\d{1,10}):/.exec(text);
  const rest = colon ? text.slice(colon[0].length) : text;
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: Number(colon?.[1] ?? 0),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

/** Negative, 0 or positive as `a` is older than, equal to or newer than `b`. `1.0` and `0:1.00-0` are equal though not the same text. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const left = split(a);
  const right = split(b);
  return (
    Math.sign(left.epoch - right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

export const relationOperators = ['<<', '<=', '=', '>=', '>>'] as const;
export type RelationOperator = (typeof relationOperators)[number];

/** Whether `version` satisfies `operator bound`, e.g. `(>= 1.2)`. */
export function versionSatisfies(version: string, operator: RelationOperator, bound: string): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}
