// Relations between packages: `a (>= 1) [linux-any] <!nocheck> | b:any [!armhf], c`. Read, weighed against what is
// installed, and turned into the line that a person types. Source: Debian Policy 7.1; deb-src-control(5).
import { parseVersion, type RelationOperator, versionSatisfies } from './version.ts';

/** One alternative. */
export interface Relation {
  name: string;
  /** `any`, `native` or an architecture; null where nothing is said. */
  qualifier: string | null;
  version: { operator: RelationOperator; version: string } | null;
  /** `[linux-any]` or `[!armhf]`; all negated or none; empty for all. */
  architectures: { negated: boolean; name: string }[];
  /** `<!nocheck cross> <stage1>`: any of the lists, each a conjunction. */
  profiles: { negated: boolean; name: string }[][];
}

/** Alternatives of which one must hold, best first. */
export type Alternatives = Relation[];

/** Longest field that is read; Debian's longest Build-Depends is some 20 kB. */
const maxLength = 262_144;
/** Longest single alternative; with blanks squeezed first, so that the pattern below cannot be made to backtrack. */
const maxRelationLength = 2_000;

const shape =
  /^([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9][a-z0-9-]*))?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^\s()]+)\s*\))?\s*(?:\[([^[\]]*)\])?\s*((?:<[^<>]*>\s*)*)$/;

/**
 * Reads a relationship field. `faults` holds a sentence for each part that cannot be read. `@builddeps@` and other `@…@` words are
 * no relations: expand them first (expandBuilddeps).
 */
export function parseRelations(text: string): { relations: Alternatives[]; faults: string[] } {
  const relations: Alternatives[] = [];
  const faults: string[] = [];
  if (text.length > maxLength) return { relations, faults: [`longer than ${maxLength} characters`] };
  for (const group of text.split(',').map((part) => part.trim())) {
    if (group === '') continue; // A trailing comma is allowed (dpkg).
    const alternatives: Alternatives = [];
    for (const part of group.split('|')) {
      const relation = parseRelation(part.trim());
      if (typeof relation === 'string') faults.push(relation);
      else alternatives.push(relation);
    }
    if (alternatives.length > 0) relations.push(alternatives);
  }
  return { relations, faults };
}

/** One alternative, or a sentence that says why it cannot be read. */
export function parseRelation(written: string): Relation | string {
  const text = written.replace(/\s+/g, ' ').trim();
  if (text.length > maxRelationLength)
    return `\`${text.slice(0, 40)}…\` is longer than ${maxRelationLength} characters`;
  if (text.includes('${')) return `\`${text}\` is a substitution variable, which has no value here`;
  if (/\(\s*[<>]\s*[^<>=\s]/.test(text))
    return `\`${text}\` uses \`<\` or \`>\`; write \`<<\`, \`<=\`, \`>=\` or \`>>\``;
  const match = shape.exec(text);
  if (match === null)
    return `\`${text}\` is no relation of the form \`name (>= version) [architecture] <profile>\``;
  const [, name, qualifier, operator, version, architectureText, profileText] = match;
  if (version !== undefined && parseVersion(version) === null) return `\`${version}\` is no Debian version`;
  const architectures = signed(architectureText ?? '');
  if (architectures.some(({ negated }) => negated !== architectures[0]!.negated)) {
    return `\`[${architectureText}]\` mixes negated and plain architectures (Policy 7.1)`;
  }
  const profiles = [...(profileText ?? '').matchAll(/<([^<>]*)>/g)].map((list) => signed(list[1]!));
  const names = [...architectures, ...profiles.flat()];
  const unread = names.find((one) => !/^[A-Za-z0-9][A-Za-z0-9+.-]*$/.test(one.name));
  if (unread) return `\`${unread.name}\` is no name of an architecture or a profile`;
  return {
    name: name!,
    qualifier: qualifier ?? null,
    version: operator === undefined ? null : { operator: operator as RelationOperator, version: version! },
    architectures,
    profiles,
  };
}

const signed = (text: string): { negated: boolean; name: string }[] =>
  text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) =>
      word.startsWith('!') ? { negated: true, name: word.slice(1) } : { negated: false, name: word },
    );

const printSigned = ({ negated, name }: { negated: boolean; name: string }): string =>
  negated ? `!${name}` : name;

export function printRelation(relation: Relation): string {
  const { name, qualifier, version, architectures, profiles } = relation;
  let out = qualifier === null ? name : `${name}:${qualifier}`;
  if (version) out += ` (${version.operator} ${version.version})`;
  if (architectures.length > 0) out += ` [${architectures.map(printSigned).join(' ')}]`;
  for (const list of profiles) out += ` <${list.map(printSigned).join(' ')}>`;
  return out;
}

export const printRelations = (relations: readonly Alternatives[]): string =>
  relations.map((alternatives) => alternatives.map(printRelation).join(' | ')).join(', ');

/** Replaces `@builddeps@` by the source's own build dependencies, as autopkgtest does in debian/tests/control. */
export const expandBuilddeps = (text: string, buildDepends: readonly string[]): string =>
  text.replaceAll('@builddeps@', buildDepends.filter((part) => part.trim() !== '').join(', '));

/** Whether a Debian architecture matches a name or wildcard (`any`, `linux-any`, `any-amd64`). Source: Policy 11.1. */
export function architectureMatches(architecture: string, pattern: string): boolean {
  if (pattern === 'any' || pattern === architecture) return true;
  const [os, cpu] = architecture.includes('-') ? splitTail(architecture) : (['linux', architecture] as const);
  const [wantedOs, wantedCpu] = splitTail(pattern);
  if (!pattern.includes('-')) return false;
  return (wantedOs === 'any' || wantedOs === os) && (wantedCpu === 'any' || wantedCpu === cpu);
}

const splitTail = (name: string): readonly [string, string] => {
  const hyphen = name.lastIndexOf('-');
  return [name.slice(0, Math.max(hyphen, 0)), name.slice(hyphen + 1)];
};

export interface InstalledPackage {
  name: string;
  version: string;
  architecture: string;
  multiArch: 'no' | 'same' | 'foreign' | 'allowed';
  provides: { name: string; version: string | null }[];
}

export interface RelationContext {
  /** The machine's own architecture. */
  architecture: string;
  /** Active build profiles. */
  profiles: readonly string[];
}

/** Whether the alternative asks anything of this architecture under these profiles. */
export function relationApplies(relation: Relation, { architecture, profiles }: RelationContext): boolean {
  const { architectures } = relation;
  if (architectures.length > 0) {
    const named = architectures.some(({ name }) => architectureMatches(architecture, name));
    if (named === architectures[0]!.negated) return false;
  }
  return (
    relation.profiles.length === 0 ||
    relation.profiles.some((list) => list.every(({ negated, name }) => profiles.includes(name) !== negated))
  );
}

function architectureServes(relation: Relation, owner: InstalledPackage, native: string): boolean {
  const { qualifier } = relation;
  if (qualifier === 'any')
    return owner.multiArch === 'allowed' || [native, 'all'].includes(owner.architecture);
  if (qualifier === null || qualifier === 'native') {
    return (
      [native, 'all'].includes(owner.architecture) || (qualifier === null && owner.multiArch === 'foreign')
    );
  }
  return owner.architecture === qualifier;
}

/** Whether an installed package, or what it provides, satisfies the relation. A provision without version meets no versioned relation. */
export function relationHolds(
  relation: Relation,
  installed: InstalledPackage,
  context: RelationContext,
): boolean {
  if (!architectureServes(relation, installed, context.architecture)) return false;
  const bound = relation.version;
  const meets = (version: string | null): boolean =>
    bound === null || (version !== null && versionSatisfies(version, bound.operator, bound.version));
  if (installed.name === relation.name && meets(installed.version)) return true;
  return installed.provides.some(({ name, version }) => name === relation.name && meets(version));
}

/** The groups of which no applicable alternative holds; a group without an applicable alternative asks nothing. */
export function unmetRelations(
  relations: readonly Alternatives[],
  installed: Iterable<InstalledPackage>,
  context: RelationContext,
): Alternatives[] {
  const byName = new Map<string, InstalledPackage[]>();
  for (const one of installed) {
    for (const name of new Set([one.name, ...one.provides.map((provision) => provision.name)])) {
      const owners = byName.get(name);
      if (owners) owners.push(one);
      else byName.set(name, [one]);
    }
  }
  return relations
    .map((alternatives) => alternatives.filter((relation) => relationApplies(relation, context)))
    .filter(
      (alternatives) =>
        alternatives.length > 0 &&
        !alternatives.some((relation) =>
          (byName.get(relation.name) ?? []).some((one) => relationHolds(relation, one, context)),
        ),
    );
}

/** The line to type for unmet relations: the first alternative of each. */
export const aptInstallLine = (unmet: readonly Alternatives[]): string => {
  const names = unmet.map(([first]) =>
    first!.qualifier === null || ['any', 'native'].includes(first!.qualifier)
      ? first!.name
      : `${first!.name}:${first!.qualifier}`,
  );
  return `apt-get install --no-install-recommends ${[...new Set(names)].join(' ')}`;
};
