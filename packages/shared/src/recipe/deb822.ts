// deb822: stanzas of fields, as Debian's control files, indices and records are written. Reader and printer.
// Source: deb822(5), Debian Policy 5.1; where Policy leaves room, dpkg's Dpkg::Control::HashCore (runs of dots) is followed.
import { Problem } from '../wire/problems.ts';
import { stripClearSign } from './clear-sign.ts';
import type { Fault } from './recipe.ts';

/** One line of a value: continuation lines have lost their first blank, trailing blanks are gone, a lone `.` is ''. */
export interface FieldLine {
  /** From 1, in the file. */
  line: number;
  text: string;
}

export interface Field {
  /** As written. */
  name: string;
  /** Lower case, for comparison: names are case-insensitive. */
  key: string;
  line: number;
  /** The first is the text after the colon, often ''. */
  lines: FieldLine[];
}

export interface Stanza {
  line: number;
  fields: Field[];
}

export interface Deb822Limits {
  /** UTF-16 units of the whole text. */
  textLength: number;
  stanzas: number;
  fieldsPerStanza: number;
  /** UTF-16 units of one line. */
  lineLength: number;
}

/** Generous for anything a package writes by hand; indices go through stanza-splitter.ts. */
export const controlLimits: Deb822Limits = {
  textLength: 4_194_304,
  stanzas: 10_000,
  fieldsPerStanza: 500,
  lineLength: 262_144,
};

export interface Deb822Options {
  /** Name used in faults. */
  file?: string;
  limits?: Deb822Limits;
  /** Line number of the first line, for a stanza cut out of a larger file. */
  firstLine?: number;
  /** Take off an OpenPGP clear-signature (which is not checked here); else such a wrapper is a fault. */
  clearSigned?: boolean;
}

const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13;

/** Loops, not regular expressions: `[ \t]+$` takes quadratic time on a hostile run of blanks. */
export function trimEndBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

function trimBlanks(text: string): string {
  let start = 0;
  while (start < text.length && isBlank(text.charCodeAt(start))) start++;
  return trimEndBlanks(text.slice(start));
}

/** Reads a whole text. Every fault is reported; what could be read is returned beside them. */
export function parseDeb822(
  text: string,
  options: Deb822Options = {},
): { stanzas: Stanza[]; faults: Fault[] } {
  const { file = 'control', limits = controlLimits, firstLine = 1 } = options;
  const stanzas: Stanza[] = [];
  const faults: Fault[] = [];
  const fault = (line: number, field: string | null, message: string, cure: string): void => {
    faults.push({ file, line, field, severity: 'error', message, cure });
  };
  if (text.length > limits.textLength) {
    fault(firstLine, null, `the file is longer than ${limits.textLength} characters`, 'split or shorten it');
    return { stanzas, faults };
  }
  let body = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (options.clearSigned) {
    const stripped = stripClearSign(body);
    if (stripped.fault)
      fault(firstLine - 1 + stripped.fault.line, null, stripped.fault.message, stripped.fault.cure);
    body = stripped.text;
  }

  let stanza: Stanza | null = null;
  let field: Field | null = null;
  let number = firstLine - 1;
  for (const raw of body.split('\n')) {
    number++;
    if (raw.startsWith('#')) continue;
    const line = trimEndBlanks(raw);
    if (line === '') {
      stanza = null;
      field = null;
      continue;
    }
    if (line.length > limits.lineLength) {
      fault(
        number,
        null,
        `the line is longer than ${limits.lineLength} characters`,
        'fold it into continuation lines',
      );
      continue;
    }
    if (line.includes('\0')) {
      fault(number, null, 'the line holds a NUL byte', 'a control file is UTF-8 text; remove the byte');
      continue;
    }
    if (line[0] === ' ' || line[0] === '\t') {
      const rest = line.slice(1);
      // A run of dots stands for one dot less (dpkg), so a lone dot is the empty line of Policy 5.1.
      const content = /^\.+$/.test(rest) ? rest.slice(1) : rest;
      if (field) field.lines.push({ line: number, text: content });
      else {
        fault(
          number,
          null,
          'a continuation line without a field before it',
          'begin the line with `Name: ` in column 0',
        );
      }
      continue;
    }
    // Policy 5.1: printable US-ASCII but space and colon, not beginning with # or -. dpkg and apt allow blanks before the colon.
    const head = /^([!-9;-~]+)[ \t]*:(.*)$/s.exec(line);
    if (head === null || head[1]!.startsWith('-')) {
      fault(number, null, `not a field: ${quoteLine(line)}`, cureForLine(line));
      field = null;
      continue;
    }
    const name = head[1]!;
    const key = name.toLowerCase();
    if (stanza === null) {
      if (stanzas.length >= limits.stanzas) {
        fault(number, null, `more than ${limits.stanzas} stanzas`, 'split the file');
        return { stanzas, faults };
      }
      stanza = { line: number, fields: [] };
      stanzas.push(stanza);
    }
    field = { name, key, line: number, lines: [{ line: number, text: trimBlanks(head[2]!) }] };
    const earlier = stanza.fields.find((other) => other.key === key);
    if (earlier) {
      fault(
        number,
        name,
        `${name} is given twice in one stanza (first in line ${earlier.line})`,
        'keep one of them; an empty line begins a new stanza',
      );
      continue;
    }
    if (stanza.fields.length >= limits.fieldsPerStanza) {
      fault(number, name, `more than ${limits.fieldsPerStanza} fields in one stanza`, 'split the stanza');
      return { stanzas, faults };
    }
    stanza.fields.push(field);
  }
  return { stanzas, faults };
}

const quoteLine = (line: string): string => `\`${line.length > 60 ? `${line.slice(0, 60)}…` : line}\``;

function cureForLine(line: string): string {
  if (line.startsWith('-----BEGIN PGP')) return 'give the file without its OpenPGP signature';
  if (line.startsWith('-')) return 'a field name cannot begin with a hyphen';
  if (!line.includes(':'))
    return 'write `Name: value`, or begin the line with a space to continue the value above';
  return 'a field name is printable ASCII without blanks, followed by a colon';
}

/** Reads a text that must be without fault. Throws Problem `invalid-deb822` that names the first fault. */
export function readDeb822(text: string, options: Deb822Options = {}): Stanza[] {
  const { stanzas, faults } = parseDeb822(text, options);
  const [first] = faults;
  if (first) {
    const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
    throw new Problem('invalid-deb822', `${first.file}:${first.line}: ${first.message}${more}`, first.cure);
  }
  return stanzas;
}

export function fieldOf(stanza: Stanza, name: string): Field | undefined {
  const key = name.toLowerCase();
  return stanza.fields.find((field) => field.key === key);
}

/** The value with its line breaks. */
export const textOf = (field: Field): string => field.lines.map(({ text }) => text).join('\n');

/** The value folded into one line, or null where the field is absent. */
export function valueIn(stanza: Stanza, name: string): string | null {
  const field = fieldOf(stanza, name);
  return field === undefined ? null : foldedOf(field);
}

/** The value folded into one line: for fields in which line breaks mean nothing (Policy 5.1, folded). */
export const foldedOf = (field: Field): string =>
  field.lines.length === 1
    ? field.lines[0]!.text
    : field.lines
        .map(({ text }) => trimBlanks(text))
        .filter((text) => text !== '')
        .join(' ');

/** Prints one stanza with a line break at its end. A value's own line breaks become continuation lines. */
export function printStanza(fields: Iterable<readonly [name: string, value: string]>): string {
  const seen = new Set<string>();
  let out = '';
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (!/^[!-9;-~]+$/.test(name) || /^[#-]/.test(name)) {
      throw new Problem('invalid-deb822', `cannot print a field of the name ${JSON.stringify(name)}`);
    }
    if (seen.has(key))
      throw new Problem('invalid-deb822', `cannot print the field ${name} twice in one stanza`);
    if (/[\0\r]/.test(value)) {
      throw new Problem('invalid-deb822', `cannot print ${name}: it holds a NUL byte or a carriage return`);
    }
    seen.add(key);
    const [first = '', ...rest] = value.split('\n').map(trimEndBlanks);
    out += first === '' ? `${name}:\n` : `${name}: ${first}\n`;
    for (const line of rest) out += /^\.*$/.test(line) ? ` .${line}\n` : ` ${line}\n`;
  }
  return out;
}

/** Prints stanzas, an empty line between them. */
export const printDeb822 = (stanzas: Iterable<Iterable<readonly [string, string]>>): string =>
  [...stanzas].map(printStanza).join('\n');
