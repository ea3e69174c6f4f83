// The tag of a source package: XS-Retrain and its companions in the source stanza of debian/control, which the archive's
// Sources index carries without the prefix (Policy 5.7). Where tag and control file both speak they must agree.
import type { AcceleratorWish } from '../gpu/accelerator.ts';
import { parseWishes, wishCure } from '../gpu/wish.ts';
import { type Field, foldedOf, parseDeb822, type Stanza } from './deb822.ts';
import { nearest } from './nearest.ts';
import { type Fault, policies, type RetrainPolicy } from './recipe.ts';

export interface RetrainTag {
  target: string;
  /** null where the tag does not say. */
  policy: RetrainPolicy | null;
  accelerators: AcceleratorWish[] | null;
}

/** Name of a make target that a shell command line carries without quoting. */
export const targetPattern = /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/;

const suffixes = ['', '-accelerator', '-policy'] as const;

/** The tag of a source stanza, prefixed (`XS-`, `XSB-` …) or as an index has it; null where there is none or it cannot be read. */
export function readTag(stanza: Stanza, file: string): { tag: RetrainTag | null; faults: Fault[] } {
  const faults: Fault[] = [];
  const fault = (field: Field, message: string, cure: string): void => {
    faults.push({ file, line: field.line, field: field.name, severity: 'error', message, cure });
  };
  const found = new Map<string, Field>();
  for (const field of stanza.fields) {
    const match = /^(x[sbc]+-)?retrain(-.*)?$/.exec(field.key);
    if (match === null || (match[1] !== undefined && !match[1].includes('s'))) continue;
    const suffix = match[2] ?? '';
    if (!(suffixes as readonly string[]).includes(suffix)) {
      const meant = nearest(suffix, suffixes);
      fault(
        field,
        `unknown field ${field.name}`,
        meant
          ? `did you mean XS-Retrain${meant === '-policy' ? '-Policy' : '-Accelerator'}?`
          : 'known are XS-Retrain, XS-Retrain-Accelerator and XS-Retrain-Policy',
      );
    } else if (found.has(suffix)) {
      fault(field, `${field.name} says the same as ${found.get(suffix)!.name}`, 'keep one of them');
    } else found.set(suffix, field);
  }
  const target = found.get('');
  if (target === undefined) {
    for (const field of found.values())
      fault(
        field,
        `${field.name} without XS-Retrain says nothing`,
        'add `XS-Retrain: bootstrap`, which is the tag',
      );
    return { tag: null, faults };
  }
  const tag: RetrainTag = { target: foldedOf(target), policy: null, accelerators: null };
  if (!targetPattern.test(tag.target)) {
    fault(target, `\`${tag.target}\` is no name of a rules target`, 'write `XS-Retrain: bootstrap`');
  }
  const policy = found.get('-policy');
  if (policy) {
    const value = foldedOf(policy);
    tag.policy = policies.find((one) => one === value) ?? null;
    if (tag.policy === null)
      fault(policy, `\`${value}\` is no policy`, `write one of ${policies.join(', ')}`);
  }
  const accelerator = found.get('-accelerator');
  if (accelerator) {
    const { wishes, faults: unread } = parseWishes(foldedOf(accelerator));
    tag.accelerators = wishes;
    for (const message of unread) fault(accelerator, message, wishCure);
  }
  return { tag: faults.length > 0 ? null : tag, faults };
}

/** The tag in the text of a debian/control: its first stanza is the source's. */
export function parseTag(text: string, file = 'debian/control'): { tag: RetrainTag | null; faults: Fault[] } {
  const { stanzas, faults } = parseDeb822(text, { file });
  const [source] = stanzas;
  if (source === undefined) return { tag: null, faults };
  const read = readTag(source, file);
  return { tag: faults.length > 0 ? null : read.tag, faults: [...faults, ...read.faults] };
}
