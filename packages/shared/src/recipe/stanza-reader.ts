// Reads the fields of one stanza one by one, keeps every fault with line and cure, and refuses at the end what was not in
// the table. A value that cannot be read is reported once and comes back as null, so that all faults are found in one go.
import { parseBytes } from '../units/bytes.ts';
import { parseDuration } from '../units/duration.ts';
import { type Field, foldedOf, type Stanza } from './deb822.ts';
import { nearest } from './nearest.ts';
import type { Fault } from './recipe.ts';

/** Path as a recipe may write it: relative, below its root, in one spelling only. Returns what is wrong, or null. */
export function pathFault(path: string): string | null {
  if (path === '') return 'is empty';
  if (path.startsWith('/')) return 'begins with /';
  if (path.length > 1_024) return 'is longer than 1024 characters';
  if (/[\0-\x1f\x7f\\]/.test(path)) return 'holds a control character or a backslash';
  const parts = path.split('/');
  if (parts.includes('..')) return 'leads outside by `..`';
  if (parts.some((part) => part === '' || part === '.')) return 'has an empty or `.` part';
  return null;
}

export class StanzaReader {
  readonly stanza: Stanza;
  readonly file: string;
  readonly faults: Fault[] = [];
  private readonly names: readonly string[];

  /** `names` are the fields that the stanza may have. */
  constructor(stanza: Stanza, file: string, names: readonly string[]) {
    this.stanza = stanza;
    this.file = file;
    this.names = names;
    const known = new Set(names.map((name) => name.toLowerCase()));
    for (const field of stanza.fields) {
      if (known.has(field.key) || field.key.startsWith('x-')) continue;
      const meant = nearest(field.name, names);
      this.fault(
        field.name,
        `unknown field ${field.name}`,
        meant === null
          ? `remove it, or begin its name with X-; known here: ${names.join(', ')}`
          : `did you mean ${meant}?`,
      );
    }
  }

  /** Notes a fault at the field's line, or at the stanza's where the field is absent. */
  fault(name: string | null, message: string, cure: string, line?: number): void {
    const field = name === null ? undefined : this.field(name);
    const at = line ?? field?.line ?? this.stanza.line;
    this.faults.push({ file: this.file, line: at, field: name, severity: 'error', message, cure });
  }

  warn(name: string | null, message: string, cure: string): void {
    this.fault(name, message, cure);
    this.faults.at(-1)!.severity = 'warning';
  }

  field(name: string): Field | undefined {
    const key = name.toLowerCase();
    return this.stanza.fields.find((field) => field.key === key);
  }

  has(name: string): boolean {
    return this.field(name) !== undefined;
  }

  /** Folded value; null where absent. An empty value is a fault. */
  text(name: string): string | null {
    const field = this.field(name);
    if (field === undefined) return null;
    const value = foldedOf(field);
    if (value !== '') return value;
    this.fault(name, `${name} is empty`, this.cureOf(name));
    return null;
  }

  /** As text, but absence is a fault. `why` says when it is needed, for fields that are not always. */
  required(name: string, why = ''): string | null {
    if (!this.has(name)) {
      this.fault(name, `${name} is missing${why === '' ? '' : ` (${why})`}`, `add the line \`${name}: …\``);
      return null;
    }
    return this.text(name);
  }

  /** Value that must match; `form` says how it looks. */
  matching(name: string, value: string | null, pattern: RegExp, form: string): string | null {
    if (value === null || (pattern.test(value) && value.length <= 128)) return value;
    this.fault(name, `${name}: \`${short(value)}\` is not ${form}`, `write ${form}`);
    return null;
  }

  oneOf<T extends string>(name: string, value: string | null, values: readonly T[]): T | null {
    if (value === null) return null;
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    const meant = nearest(value, values);
    this.fault(
      name,
      `${name}: \`${short(value)}\` is not one of ${values.join(', ')}`,
      meant === null ? `write one of ${values.join(', ')}` : `did you mean \`${meant}\`?`,
    );
    return null;
  }

  yesNo(name: string): boolean {
    return this.oneOf(name, this.text(name), ['yes', 'no']) === 'yes';
  }

  integer(name: string, least: number, most: number): number | null {
    const value = this.text(name);
    if (value === null) return null;
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    this.fault(
      name,
      `${name}: \`${short(value)}\` is no whole number from ${least} to ${most}`,
      `write such a number, e.g. \`${name}: ${Math.max(least, 1)}\``,
    );
    return null;
  }

  number(name: string): number | null {
    const value = this.text(name);
    if (value === null) return null;
    const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isFinite(number)) return number;
    this.fault(
      name,
      `${name}: \`${short(value)}\` is no number`,
      'write a decimal number with a point, e.g. `0.015`',
    );
    return null;
  }

  bytes(name: string, otherwise: number): number {
    const value = this.text(name);
    if (value === null) return otherwise;
    const bytes = parseBytes(value);
    if (bytes !== null) return bytes;
    this.quantityFault(name, value, 'size', 'B, KiB, MiB, GiB or TiB', '2 GiB');
    return otherwise;
  }

  seconds(name: string, otherwise: number): number {
    const value = this.text(name);
    if (value === null) return otherwise;
    const seconds = parseDuration(value);
    if (seconds !== null && seconds > 0) return seconds;
    this.quantityFault(name, value, 'duration', 's, min, h or d', '30 min');
    return otherwise;
  }

  private quantityFault(name: string, value: string, what: string, units: string, example: string): void {
    const bare = /^[\d.]+$/.test(value);
    this.fault(
      name,
      bare ? `${name}: \`${short(value)}\` has no unit` : `${name}: \`${short(value)}\` is no ${what}`,
      bare
        ? `add one of ${units}, e.g. \`${name}: ${example}\``
        : `write a number and a unit of ${units}, e.g. \`${name}: ${example}\``,
    );
  }

  path(name: string, value: string | null): string | null {
    if (value === null) return null;
    const wrong = pathFault(value);
    if (wrong === null) return value;
    this.fault(
      name,
      `${name}: the path \`${short(value)}\` ${wrong}`,
      'write a relative path without `..`, such as `models/a.onnx`',
    );
    return null;
  }

  private cureOf(name: string): string {
    return this.names.includes(name) ? `give ${name} a value or remove the line` : 'remove the line';
  }
}

export const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
