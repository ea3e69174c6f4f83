// The head of debian/changelog: which source, which version, when. Source: Debian Policy 4.4.
import { parseVersion } from '@retraind/shared/recipe/version';
import { Problem } from '@retraind/shared/wire/problems';
import { readConfinedText } from '../confined-path.ts';

export interface ChangelogHead {
  source: string;
  version: string;
  /** Of the newest entry, in seconds since 1970: SOURCE_DATE_EPOCH as dpkg-buildpackage sets it. */
  epochSeconds: number;
}

const maxBytes = 16 * 2 ** 20;

/** Problem `invalid-archive` where there is none, or its first entry is not of the form of Policy 4.4. */
export const readChangelogHead = async (tree: string): Promise<ChangelogHead> => {
  const text = await readConfinedText(tree, 'debian/changelog', maxBytes);
  const cure = 'Write debian/changelog as in Policy 4.4 (dch --create).';
  if (text === null)
    throw new Problem(
      'invalid-archive',
      'There is no debian/changelog: this is no Debian source tree.',
      cure,
    );
  const head = /^([a-z0-9][a-z0-9+.-]+) \(([^()\s]+)\)/m.exec(text);
  const trailer = /^ -- .* <[^>]*> {2}(\S.*)$/m.exec(text);
  const when = Date.parse(trailer?.[1] ?? '');
  if (!head || parseVersion(head[2]!) === null || Number.isNaN(when)) {
    throw new Problem(
      'invalid-archive',
      'debian/changelog: the first entry has no readable source, version or date.',
      cure,
    );
  }
  return { source: head[1]!, version: head[2]!, epochSeconds: Math.floor(when / 1000) };
};
