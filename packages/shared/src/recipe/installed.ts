// What dpkg has installed, from the text of /var/lib/dpkg/status. Source: dpkg(1), deb-control(5).
import { parseDeb822, valueIn } from './deb822.ts';
import { type InstalledPackage, parseRelations } from './relation.ts';
import { StanzaSplitter } from './stanza-splitter.ts';

const multiArchs = ['same', 'foreign', 'allowed'] as const;

/** The packages whose state is `installed`; half-installed and removed ones are no help to a build. */
export function installedPackages(status: string): InstalledPackage[] {
  const splitter = new StanzaSplitter('/var/lib/dpkg/status');
  const installed: InstalledPackage[] = [];
  for (const { line, text } of [...splitter.push(status), ...splitter.end()]) {
    const [stanza] = parseDeb822(text, { file: 'status', firstLine: line }).stanzas;
    if (!stanza || !/ installed$/.test(valueIn(stanza, 'Status') ?? '')) continue;
    const name = valueIn(stanza, 'Package');
    const version = valueIn(stanza, 'Version');
    if (name === null || version === null) continue;
    const { relations } = parseRelations(valueIn(stanza, 'Provides') ?? '');
    installed.push({
      name,
      version,
      architecture: valueIn(stanza, 'Architecture') ?? 'all',
      multiArch: multiArchs.find((kind) => kind === valueIn(stanza, 'Multi-Arch')) ?? 'no',
      provides: relations.flat().map((relation) => ({
        name: relation.name,
        version: relation.version?.operator === '=' ? relation.version.version : null,
      })),
    });
  }
  return installed;
}
