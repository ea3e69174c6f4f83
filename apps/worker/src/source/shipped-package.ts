// The binary package that holds a shipped file: the one built from the very source version that is retrained.
import { broken } from '../breakage.ts';
import { debFolder } from '../dataset/deb-folder.ts';
import type { RunContext } from '../steps/context.ts';
import type { ChangelogHead } from './changelog.ts';

/** Folder of the unpacked package; kept in the cache. Breaks, blame data, where the archive has none of this source version. */
export const shippedPackage = async (
  { archive, cache, signal, say }: Pick<RunContext, 'archive' | 'cache' | 'signal' | 'say'>,
  packageName: string,
  head: ChangelogHead,
): Promise<string> => {
  const apt = await archive();
  const candidates = await apt.candidates(packageName);
  const found = candidates.find(
    ({ source, sourceVersion }) => source === head.source && sourceVersion === head.version,
  );
  if (!found) {
    const others = candidates.map(({ source, sourceVersion }) => `${source} ${sourceVersion}`).join(', ');
    throw broken(
      'data',
      'data-wait',
      `The archive has no ${packageName} built from ${head.source} ${head.version}${others ? ` (it has those of ${others})` : ''}.`,
      'Add the archive that has it to the suite.',
    );
  }
  say(
    `reference: ${packageName} ${found.version} (${found.architecture}) of the archive, sha256 ${found.sha256}\n`,
  );
  return await debFolder(apt, found, cache, signal);
};
