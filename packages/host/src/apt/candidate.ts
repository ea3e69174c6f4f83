// What `apt-cache show` says of a binary package: the versions of a suite, with what is needed to name a reference by
// its source version and to cache a download by its digest.
import { readDeb822, type Stanza, valueIn } from '@retraind/shared/recipe/deb822';
import { compareVersions } from '@retraind/shared/recipe/version';

export interface Candidate {
  packageName: string;
  version: string;
  architecture: string;
  /** Source package and its version: they differ from the binary's where it says so (binNMU, several sources). */
  source: string;
  sourceVersion: string;
  sha256: string;
  bytes: number;
}

const candidate = (stanza: Stanza): Candidate | null => {
  const packageName = valueIn(stanza, 'Package');
  const version = valueIn(stanza, 'Version');
  const sha256 = valueIn(stanza, 'SHA256');
  if (!packageName || !version || !sha256) return null;
  const [, source, sourceVersion] =
    /^(\S+)(?: \(([^)]+)\))?$/.exec(valueIn(stanza, 'Source') ?? packageName) ?? [];
  return {
    packageName,
    version,
    architecture: valueIn(stanza, 'Architecture') ?? 'all',
    source: source ?? packageName,
    sourceVersion: sourceVersion ?? version,
    sha256,
    bytes: Number(valueIn(stanza, 'Size') ?? 0),
  };
};

/** Highest version first; versions without a digest (installed here, in no list) are left out. */
export const readCandidates = (text: string, packageName: string): Candidate[] =>
  readDeb822(text, { file: `apt-cache show ${packageName}` })
    .map(candidate)
    .filter((found): found is Candidate => found?.packageName === packageName)
    .sort((a, b) => compareVersions(b.version, a.version));
