// A suite as apt knows it: deb822 `.sources` text (sources.list(5)). Here it is read, checked (nothing may weaken the
// signatures), given both kinds (deb and deb-src), and made from the machine's own files, one-line or deb822.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printDeb822, readDeb822, textOf } from '@retraind/shared/recipe/deb822';
import { Problem } from '@retraind/shared/wire/problems';
import { armoured, packetsOf } from './armor.ts';

export type SourceKind = 'deb' | 'deb-src';

/** Field names in lower case, values with their line breaks. */
type Fields = Map<string, string>;

const bad = (detail: string, hint?: string): Problem => new Problem('invalid-request', detail, hint);

const readFields = (text: string, file: string): Fields[] =>
  readDeb822(text, { file }).map(
    (stanza) => new Map(stanza.fields.map((field) => [field.key, textOf(field)])),
  );

const fieldName = (lower: string): string =>
  lower === 'uris' ? 'URIs' : lower.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

const print = (stanzas: readonly Fields[]): string =>
  printDeb822(stanzas.map((fields) => [...fields].map(([name, value]) => [fieldName(name), value] as const)));

const weakens = ['trusted', 'allow-insecure', 'allow-weak', 'allow-downgrade-to-insecure'];
const isYes = (value: string): boolean => /^(yes|true|1|on|with|enable|force)$/i.test(value.trim());

/** The text given to apt: every stanza's wanted kinds, none that would skip signatures. '' where no kind is left. Problem `invalid-request`. */
export const checkedSources = (text: string, kinds: readonly SourceKind[]): string => {
  const stanzas = readFields(text, 'suite.sources').filter(
    (stanza) => (stanza.get('enabled') ?? 'yes').trim() !== 'no',
  );
  if (stanzas.length === 0) throw bad('the .sources text has no enabled stanza');
  for (const stanza of stanzas) {
    for (const name of ['types', 'uris', 'suites']) {
      if (!stanza.get(name)?.trim()) throw bad(`a stanza of the .sources text has no ${fieldName(name)}`);
    }
    for (const name of weakens) {
      if (isYes(stanza.get(name) ?? 'no')) {
        throw bad(
          `${fieldName(name)}: yes would skip the archive's signature`,
          'Give the key of the archive in Signed-By.',
        );
      }
    }
    const types = stanza.get('types')!.trim().split(/\s+/);
    stanza.set('types', kinds.filter((kind) => types.includes(kind)).join(' '));
    // `file:` would leave symbolic links into the archive, whose files may change under us; `copy:` is the same, copied.
    stanza.set('uris', stanza.get('uris')!.replaceAll(/(^|\s)file:/g, '$1copy:'));
  }
  return print(stanzas.filter((stanza) => stanza.get('types') !== ''));
};

/** `deb [a=b c=d,e] uri suite component…` as a stanza; null for a comment. */
const oneLine = (line: string): Fields | null => {
  const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
  if (!match) return null;
  const [, type, options, uri, suite, components] = match;
  const stanza: Fields = new Map([
    ['types', type!],
    ['uris', uri!],
    ['suites', suite!],
  ]);
  if (components!.trim()) stanza.set('components', components!.trim());
  const names: Record<string, string> = { arch: 'architectures', lang: 'languages', target: 'targets' };
  for (const [, key, value] of (options ?? '').matchAll(/([A-Za-z-]+)=(\S+)/g)) {
    stanza.set(names[key!.toLowerCase()] ?? key!.toLowerCase(), value!.replaceAll(',', ' '));
  }
  return stanza;
};

/** Key files become the key itself, so that the text holds on any machine. Fingerprints stay: they name keys that a machine trusts. */
const withInlineKey = (stanza: Fields): Fields => {
  const signedBy = stanza.get('signed-by')?.trim();
  if (!signedBy?.startsWith('/')) return stanza;
  const packets = signedBy.split(/[\s,]+/).map((path) => packetsOf(readFileSync(path)));
  const key = armoured(Buffer.concat(packets));
  return new Map(stanza).set('signed-by', `\n${key}`);
};

const identity = (stanza: Fields): string =>
  ['uris', 'suites', 'components'].map((name) => stanza.get(name) ?? '').join('\n');

/**
 * The machine's own archives as one `.sources` text with the keys inline. Entries that skip signatures are left out.
 * `etc` is the folder of apt's configuration. Problem `not-found` where the machine has none.
 */
export const machineSources = (etc = '/etc/apt'): string => {
  const parts = join(etc, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const lists = [
    join(etc, 'sources.list'),
    ...names.filter((n) => n.endsWith('.list')).map((n) => join(parts, n)),
  ];
  const stanzas = [
    ...lists.flatMap((path) => read(path).split('\n').map(oneLine)),
    ...names.filter((n) => n.endsWith('.sources')).flatMap((n) => readFields(read(join(parts, n)), n)),
  ]
    .filter((stanza): stanza is Fields => stanza !== null)
    .filter((stanza) => (stanza.get('enabled') ?? 'yes').trim() !== 'no')
    .filter((stanza) => !weakens.some((name) => isYes(stanza.get(name) ?? 'no')));
  const seen = new Map(stanzas.map((stanza) => [identity(stanza), stanza]));
  if (seen.size === 0) {
    throw new Problem('not-found', `apt knows no archive (${etc})`, 'Give the suite as a .sources file.');
  }
  return print(
    [...seen.values()].map((stanza) => withInlineKey(new Map([...stanza, ['types', 'deb deb-src']]))),
  );
};
