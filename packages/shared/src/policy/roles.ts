// Who may do what. Everyone reads; people prove by a token which role they have and where it reaches; nodes sign by their key.
// One table, which the api asks and the tests and the documents print.
//
//   porter      triggers in its suites, within the budgets     maintainer   asks for its own source packages
//   admin       everything that a person may                   node         what its own leases need

/** Roles that a token may have. Readers need none, nodes have a key. */
export const roles = ['porter', 'maintainer', 'admin'] as const;
export type Role = (typeof roles)[number];

export const askers = ['reader', ...roles, 'node'] as const;
export type Asker = (typeof askers)[number];

/** How far a right goes: everywhere, in the token's suites, for its source packages, on the node's own leases. */
export type Reach = 'everywhere' | 'suites' | 'sources' | 'leases';

const everyone: Partial<Record<Asker, Reach>> = Object.fromEntries(
  askers.map((asker) => [asker, 'everywhere']),
);
const triggering = { porter: 'suites', maintainer: 'sources', admin: 'everywhere' } as const;
const campaigning = { porter: 'suites', admin: 'everywhere' } as const;
const adminOnly = { admin: 'everywhere' } as const;
const nodeOnly = { node: 'leases' } as const;

/** Every deed, and who may do it how far; who is not named may not. Names are those of the audit. */
export const rights = {
  read: everyone,
  'jobs.request': triggering,
  'jobs.cancel': triggering,
  'jobs.give-back': triggering,
  /** A job whose estimate is over a budget's threshold. */
  'jobs.approve': adminOnly,
  /** To retrain what the ledger, or a person, said is not for us. */
  'jobs.override': adminOnly,
  /** What trainings took: it moves estimates only. */
  'pilots.record': { porter: 'everywhere', maintainer: 'sources', admin: 'everywhere' },
  'releases.start': campaigning,
  'releases.pause': campaigning,
  'releases.resume': campaigning,
  'releases.end': campaigning,
  'budgets.set': adminOnly,
  'ledger.add': adminOnly,
  'ledger.remove': adminOnly,
  'tokens.list': adminOnly,
  'tokens.make': adminOnly,
  'tokens.revoke': adminOnly,
  'suites.add': adminOnly,
  'nodes.govern': adminOnly,
  'runs.report': nodeOnly,
} as const satisfies Record<string, Partial<Record<Asker, Reach>>>;

export type Deed = keyof typeof rights;

export const reachOf = (asker: Asker, deed: Deed): Reach | null =>
  (rights[deed] as Partial<Record<Asker, Reach>>)[asker] ?? null;

/** A person, as the token tells. */
export interface Bearer {
  name: string;
  role: Role;
  /** Suites of a porter; `*` is all. */
  suites: readonly string[];
  /** Source packages of a maintainer. */
  sources: readonly string[];
}

/** What a deed is done to; null where it is bound to no suite or no package. */
export interface Place {
  suite: string | null;
  source: string | null;
}

/** Why this person may not do this here; null where they may. One sentence. */
export function objection(bearer: Bearer, deed: Deed, place: Place): string | null {
  const { name, role } = bearer;
  const reach = reachOf(role, deed);
  if (reach === 'everywhere') return null;
  if (reach === null) {
    const able = roles.filter((one) => reachOf(one, deed) !== null);
    return `${name} is ${role}; ${deed} needs ${able.join(' or ')}.`;
  }
  if (reach === 'suites') {
    const { suite } = place;
    if (suite !== null && (bearer.suites.includes('*') || bearer.suites.includes(suite))) return null;
    const where = suite === null ? 'what belongs to no suite' : `suite ${suite}`;
    return `${name} is porter of ${listed(bearer.suites, 'no suite')}, not of ${where}.`;
  }
  const { source } = place;
  if (source !== null && bearer.sources.includes(source)) return null;
  return `${name} is maintainer of ${listed(bearer.sources, 'no package')}, not of ${source ?? 'what belongs to no package'}.`;
}

const listed = (names: readonly string[], none: string): string =>
  names.length === 0 ? none : names.join(', ');
