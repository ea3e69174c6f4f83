// Reads a Debian suite: renews its lists through the private apt, and where a signed Release changed, reads the Sources
// indexes anew. What changed is decided by digest, so a quiet mirror costs one request and no reading.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Apt, openApt, type Release } from '@retraind/host/apt';
import { ownOrigin } from '@retraind/host/archive/release-file';
import { printDeb822, readDeb822, textOf, valueIn } from '@retraind/shared/recipe/deb822';
import { Problem } from '@retraind/shared/wire/problems';
import { type ListedSource, SourcesReading } from './sources-index.ts';

export interface SuiteReading {
  /** Over the Releases held and the overlays that were looked for: equal digests, equal reading. */
  digest: string;
  /** The newest Date of a Release, ISO 8601; null where none is held yet. */
  date: string | null;
  /** null where the digest is the one that was known: nothing was read. */
  listed: ListedSource[] | null;
  stanzas: number;
  /** Archives of the suite that could not be renewed; their last good lists were used. */
  problems: Problem[];
}

export interface SuiteSource {
  /** `.sources` text. */
  sources: string;
  /** For the private apt; of this suite alone. */
  stateFolder: string;
  /** Seconds between two readings. A suite that mixes local folders with mirrors asks the mirrors once an hour at most. */
  intakeSeconds: number;
}

const mirrorSeconds = 3_600;

interface Group {
  apt: Apt;
  /** What the InRelease files of local folders hold now; null for mirrors, whose apt must ask. */
  stamp: (() => Promise<string>) | null;
  /** The stamp under which the lists were last renewed. */
  renewedStamp: string | null;
  intervalSeconds: number;
  renewedAt: number | null;
  problem: Problem | null;
}

const isLocal = (uris: string): boolean => /^(file|copy):/.test(uris.trim());

/** The source stanzas of local folders and those of mirrors: a mirror that is slow or down must not hold up the folder. */
const splitSources = (text: string): { local: string; mirrors: string } => {
  const parts = { local: [] as [string, string][][], mirrors: [] as [string, string][][] };
  for (const stanza of readDeb822(text, { file: 'suite.sources' })) {
    if (!/\bdeb-src\b/.test(valueIn(stanza, 'Types') ?? '')) continue;
    const fields = stanza.fields.map((field): [string, string] => [field.name, textOf(field)]);
    parts[isLocal(valueIn(stanza, 'URIs') ?? '') ? 'local' : 'mirrors'].push(fields);
  }
  return { local: printDeb822(parts.local), mirrors: printDeb822(parts.mirrors) };
};

/** Reads the Releases of local folders directly: starting apt every few seconds for an unchanged folder is waste. */
const localStamp = async (sources: string): Promise<string> => {
  const hash = createHash('sha256');
  for (const stanza of readDeb822(sources, { file: 'suite.sources' })) {
    const words = (name: string): string[] => (valueIn(stanza, name) ?? '').split(/\s+/).filter(Boolean);
    for (const uri of words('URIs')) {
      for (const suite of words('Suites')) {
        const folder = decodeURIComponent(uri.replace(/^(file|copy):(\/\/)?/, ''));
        const path = join(folder, suite.endsWith('/') ? suite : join('dists', suite), 'InRelease');
        hash.update(path).update(await readFile(path).catch(() => Buffer.alloc(0)));
      }
    }
  }
  return hash.digest('hex');
};

/** Public randomness (DESIGN §4): digest and Date of the InRelease; nothing where the farm signed it itself. */
export const beaconOf = (release: Release): string =>
  release.origin === ownOrigin ? '' : `${release.sha256} ${release.date}`;

export interface DebianSuite {
  /** Renews what is due and reads it where it is not what `knownDigest` stands for. `now` in milliseconds. Problem `invalid-index` where an index cannot be read at all. */
  read(now: number, knownDigest: string | null, overlays: ReadonlyMap<string, string>): Promise<SuiteReading>;
}

export const openDebianSuite = async (suite: SuiteSource): Promise<DebianSuite> => {
  const { local, mirrors } = splitSources(suite.sources);
  const groups: Group[] = [];
  const open = async (name: string, sources: string, intervalSeconds: number): Promise<void> => {
    if (sources === '') return;
    const stateFolder = join(suite.stateFolder, name);
    const apt = await openApt({ stateFolder, sources, kinds: ['deb-src'] });
    const stamp = name === 'local' ? () => localStamp(sources) : null;
    groups.push({ apt, stamp, renewedStamp: null, intervalSeconds, renewedAt: null, problem: null });
  };
  await open('local', local, suite.intakeSeconds);
  await open(
    'mirrors',
    mirrors,
    local === '' ? suite.intakeSeconds : Math.max(suite.intakeSeconds, mirrorSeconds),
  );

  if (groups.length === 0) {
    const hint = 'Give a stanza with Types: deb-src (or deb deb-src).';
    throw new Problem('invalid-request', 'the suite names no archive of source packages', hint);
  }

  const renew = async (group: Group, now: number): Promise<void> => {
    if (group.renewedAt !== null && now - group.renewedAt < group.intervalSeconds * 1_000) return;
    group.renewedAt = now;
    const stamp = (await group.stamp?.()) ?? null;
    if (stamp !== null && stamp === group.renewedStamp) {
      group.problem = null;
      return;
    }
    try {
      await group.apt.update();
      group.problem = null;
      group.renewedStamp = stamp;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      group.problem = error;
    }
  };

  return {
    read: async (now, knownDigest, overlays) => {
      await Promise.all(groups.map((group) => renew(group, now)));
      const problems = groups.flatMap(({ problem }) => (problem ? [problem] : []));
      const releases = (await Promise.all(groups.map(({ apt }) => apt.releases()))).flat();
      const dates = releases.map(({ date }) => Date.parse(date)).filter(Number.isFinite);
      const state = {
        digest: digestOf(releases, overlays),
        date: dates.length > 0 ? new Date(Math.max(...dates)).toISOString() : null,
        problems,
      };
      if (releases.length === 0 || state.digest === knownDigest)
        return { ...state, listed: null, stanzas: 0 };
      const reading = new SourcesReading(new Set(overlays.keys()));
      for (const { apt } of groups) {
        for (const { path, release } of await apt.sourceIndexes()) {
          await reading.takeFile(path, beaconOf(release));
        }
      }
      return { ...state, listed: reading.listed(), stanzas: reading.stanzas };
    },
  };
};

const digestOf = (releases: readonly Release[], overlays: ReadonlyMap<string, string>): string => {
  const hash = createHash('sha256');
  for (const line of releases.map(({ sha256 }) => sha256).sort()) hash.update(`${line}\n`);
  for (const [source, sha256] of [...overlays].sort()) hash.update(`${source} ${sha256}\n`);
  return hash.digest('hex');
};
