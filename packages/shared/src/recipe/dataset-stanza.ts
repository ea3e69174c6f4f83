// The Dataset stanza of debian/retrain/control: where the bytes come from, and the digests that pin every one of them.

import { foldedOf, type Stanza } from './deb822.ts';
import { fieldTable } from './fields.ts';
import { type PinnedFile, type RecipeDataset, type Transport, transports } from './recipe.ts';
import { parseRelations } from './relation.ts';
import { pathFault, StanzaReader, short } from './stanza-reader.ts';

/** What the farm can fetch so far. */
export const supportedTransports = ['package', 'in-source'] as const satisfies readonly Transport[];

/** Most files of one dataset; what is larger comes as an archive. */
const maxFiles = 100_000;

export function readDataset(stanza: Stanza, file: string): { dataset: RecipeDataset; reader: StanzaReader } {
  const reader = new StanzaReader(
    stanza,
    file,
    fieldTable.dataset.map(({ name }) => name),
  );
  const name = reader.matching(
    'Dataset',
    reader.text('Dataset'),
    /^[A-Za-z0-9][A-Za-z0-9+._-]*$/,
    'a name of letters, digits and + . _ -',
  );
  const dataset: RecipeDataset = {
    name: name ?? '',
    locations: readLocations(reader),
    license: reader.required('License') ?? '',
    directory: readDirectory(reader),
    files: [
      ...readChecksums(reader, 'Checksums-Sha256', false),
      ...readChecksums(reader, 'Checksums-Sha256-Uncompressed', true),
    ],
  };
  if (!reader.has('Checksums-Sha256') && !reader.has('Checksums-Sha256-Uncompressed')) {
    reader.fault(
      'Checksums-Sha256',
      'no file of the dataset is pinned',
      'add Checksums-Sha256 (or Checksums-Sha256-Uncompressed) with a line ` sha256 bytes path` for each file',
    );
  }
  const seen = new Set<string>();
  const field = reader.has('Checksums-Sha256') ? 'Checksums-Sha256' : 'Checksums-Sha256-Uncompressed';
  for (const { path } of dataset.files) {
    if (seen.has(path)) reader.fault(field, `\`${path}\` is pinned twice`, 'keep one of the lines');
    seen.add(path);
  }
  return { dataset, reader };
}

function readDirectory(reader: StanzaReader): string {
  const value = reader.text('Directory');
  if (value === null || value === '.') return '';
  return reader.path('Directory', value.replace(/\/+$/, '') || value) ?? '';
}

/** Location: one a line, all of the one transport. */
function readLocations(reader: StanzaReader): RecipeDataset['locations'] {
  const transport = reader.oneOf('Transport', reader.required('Transport'), transports);
  const lines = (reader.field('Location')?.lines ?? []).filter(({ text }) => text.trim() !== '');
  if (transport === null) return [];
  if (!(supportedTransports as readonly string[]).includes(transport)) {
    reader.fault(
      'Transport',
      `the transport ${transport} is not yet supported`,
      `use one of ${supportedTransports.join(', ')}`,
    );
    return [];
  }
  if (transport === 'in-source') {
    if (reader.has('Location')) {
      reader.fault(
        'Location',
        'in-source data has no Location: it lies in the source tree',
        'remove the line and name the folder by Directory, e.g. `Directory: data`',
      );
    }
    return [{ transport, location: '' }];
  }
  if (lines.length === 0) {
    reader.fault(
      'Location',
      `Location is missing (the transport ${transport} needs it)`,
      'add the line `Location: …`',
    );
    return [];
  }
  return lines.map(({ line, text }) => {
    const location = text.trim();
    const { relations, faults } = parseRelations(location);
    const [relation] = relations;
    const simple =
      faults.length === 0 &&
      relations.length === 1 &&
      relation!.length === 1 &&
      relation![0]!.profiles.length === 0;
    if (!simple) {
      reader.fault(
        'Location',
        faults[0] ?? `\`${short(location)}\` is not one package`,
        'write one package with at most a version, e.g. `dataset-fashion-mnist (>= 0.0~git20200523)`',
        line,
      );
    }
    return { transport, location };
  });
}

function readChecksums(reader: StanzaReader, name: string, uncompressed: boolean): PinnedFile[] {
  const field = reader.field(name);
  if (field === undefined) return [];
  const files: PinnedFile[] = [];
  const lines = field.lines.filter(({ text }) => text.trim() !== '');
  if (foldedOf(field) === '')
    reader.fault(name, `${name} pins no file`, 'add a line ` sha256 bytes path` for each file');
  if (lines.length > maxFiles) {
    reader.fault(name, `${name} pins more than ${maxFiles} files`, 'ship the data as fewer, larger files');
    return [];
  }
  for (const { line, text } of lines) {
    const match = /^([0-9a-fA-F]+)[ \t]+(\d+)[ \t]+(\S.*)$/.exec(text.trim());
    if (match === null) {
      reader.fault(
        name,
        `\`${short(text.trim())}\` is not of the form \`sha256 bytes path\``,
        'as in a .dsc: digest, size in bytes, path',
        line,
      );
      continue;
    }
    const [, sha256, size, path] = match as unknown as [string, string, string, string];
    const wrong = pathFault(path);
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      reader.fault(
        name,
        `\`${short(sha256)}\` is no sha256 (64 hex digits in lower case)`,
        `take it from \`sha256sum ${path}\``,
        line,
      );
    }
    if (!Number.isSafeInteger(Number(size)))
      reader.fault(name, `the size ${short(size)} is too large`, 'give the size in bytes', line);
    if (wrong !== null)
      reader.fault(name, `the path \`${short(path)}\` ${wrong}`, 'write a relative path without `..`', line);
    files.push({ path, sha256, bytes: Number(size), uncompressed });
  }
  return files;
}
