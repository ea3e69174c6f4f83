// The signed Release files that apt holds, and which index each of them vouches for. apt has checked the signature before
// the file came to lie here; what is read is the text inside.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { readDeb822, valueIn } from '@retraind/shared/recipe/deb822';
import { Problem } from '@retraind/shared/wire/problems';

export interface Release {
  path: string;
  /** Of the whole file, signature included. */
  sha256: string;
  /** The Date field as written, e.g. `Sat, 17 May 2025 09:00:00 UTC`. */
  date: string;
  origin: string | null;
  suite: string | null;
  codename: string | null;
}

const maxBytes = 64 * 1024 * 1024;

export const readRelease = async (path: string): Promise<Release> => {
  if ((await stat(path)).size > maxBytes) throw new Problem('invalid-index', `${path} is larger than 64 MiB`);
  const bytes = await readFile(path);
  const [stanza] = readDeb822(bytes.toString('utf8'), { file: path, clearSigned: true });
  const date = stanza && valueIn(stanza, 'Date');
  if (!stanza || !date) throw new Problem('invalid-index', `${path} has no Date`);
  return {
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    date,
    origin: valueIn(stanza, 'Origin'),
    suite: valueIn(stanza, 'Suite'),
    codename: valueIn(stanza, 'Codename'),
  };
};

/** apt names the lists of one archive alike up to the index: its Release is the one with the longest common beginning. */
export const releaseOf = (releases: readonly Release[], indexPath: string): Release | null => {
  const stem = (release: Release): string => release.path.replace(/(In)?Release$/, '');
  const fitting = releases.filter((release) => indexPath.startsWith(stem(release)));
  return fitting.sort((a, b) => stem(b).length - stem(a).length)[0] ?? null;
};
