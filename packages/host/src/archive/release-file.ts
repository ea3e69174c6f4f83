// The Release file of an archive: the list of its indexes by digest. Source: wiki.debian.org/DebianRepository/Format.
import { createHash } from 'node:crypto';

/** What the farm's own archives call themselves: intake takes no public randomness from such a Release (DESIGN §4). */
export const ownOrigin = 'Retraind';

export interface IndexFile {
  /** Below dists/<suite>/, e.g. `main/source/Sources`. */
  path: string;
  content: Buffer;
}

export const sha256Of = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** The text to sign; `date` is written as apt wants it, in UTC. */
export const releaseText = (
  suite: string,
  architectures: readonly string[],
  indexes: readonly IndexFile[],
  date: Date,
): string =>
  [
    `Origin: ${ownOrigin}`,
    'Label: Retraind',
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${date.toUTCString().replace('GMT', 'UTC')}`,
    `Architectures: ${architectures.join(' ')}`,
    'Components: main',
    'Acquire-By-Hash: yes',
    'SHA256:',
    ...indexes.map(({ path, content }) => ` ${sha256Of(content)} ${content.length} ${path}`),
    '',
  ].join('\n');
