// The arguments of a verb: declared once as a table, parsed by node:util, faults told with the cure.
import { parseArgs } from 'node:util';
import { Problem } from '@retraind/shared/wire/problems';
import type { Output } from './output.ts';

export type OptionSpec =
  | { type: 'boolean'; help: string }
  /** `short`: its one letter; `multiple`: may be given again and again. */
  | { type: 'string'; value: string; help: string; short?: string; multiple?: boolean };

export interface Verb {
  /** One word, or two: `node approve` is a verb of its own. */
  name: string;
  usage: string;
  summary: string;
  options: Record<string, OptionSpec>;
  /** How many words it takes: [least, most]. */
  words: [number, number];
  /** Whether Ctrl-C is its ordinary end (a farm that runs until stopped). */
  endsByInterrupt?: boolean;
  run(args: Args, output: Output, signal: AbortSignal): Promise<number>;
}

export const jsonOption = { json: { type: 'boolean', help: 'print one JSON document on stdout' } } as const;

/** For deeds that a person answers for: kept in the audit. */
export const messageOption = {
  message: { type: 'string', short: 'm', value: 'WHY', help: 'why: kept with the deed' },
} as const;

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

export class Args {
  readonly words: string[];
  readonly #values: Values;

  constructor(words: string[], values: Values) {
    this.words = words;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** All values of an option that may be given again and again. */
  texts(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** The reason of a deed that needs one. Throws Problem `usage` without it. */
  reason(): string {
    const reason = this.text('message')?.trim();
    if (!reason) throw new Problem('usage', 'a person will ask why', 'say it with -m WHY');
    return reason;
  }

  /** A whole number within limits; anything else is a usage Problem that names the option. */
  wholeNumber(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new Problem(
        'usage',
        `--${name} ${shown(text)}: a whole number from ${least} to ${most} is needed`,
        `write it in digits alone, as in --${name} ${least}`,
      );
    }
    return value;
  }

  /** A number within limits, greater than 0 where `least` is; `1.86e9` is one, too. Anything else is a usage Problem that names the option. */
  number(
    name: string,
    { least, most, or = '' }: { least: number; most: number; or?: string },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}(\.\d{1,15})?(e\+?\d{1,2})?$/i.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new Problem(
        'usage',
        `--${name} ${shown(text)}: a number from ${least} to ${most}${or} is needed`,
        `write it as in --${name} 1.5 or --${name} 1.86e3, without a unit`,
      );
    }
    return value;
  }
}

/** A value as it was given, in quotes where it would not be seen. */
export const shown = (text: string): string => (text.trim() === '' ? `“${text}”` : text);

/** `--jobs -5` is a wrong number, which the verb refuses, and no option `-5`: node:util asks for `--jobs=-5`. */
const joinNegatives = (argv: readonly string[], isText: (flag: string) => boolean): string[] =>
  argv.reduce<string[]>((joined, word) => {
    const flag = joined.at(-1);
    if (/^-\.?\d/.test(word) && flag !== undefined && isText(flag))
      joined[joined.length - 1] = `${flag}=${word}`;
    else joined.push(word);
    return joined;
  }, []);

/** How an option is written in usage and reference. */
export const flagOf = (name: string, option: OptionSpec): string =>
  option.type === 'boolean'
    ? `--${name}`
    : `${option.short ? `-${option.short}, ` : ''}--${name} ${option.value}${option.multiple ? ' …' : ''}`;

/** Parses what follows the verb. Throws Problem `usage`. */
export function parseVerbArgs(verb: Verb, argv: string[]): Args {
  const options = Object.fromEntries(
    Object.entries(verb.options).map(([name, option]) => {
      const { short = undefined, multiple = false } = option.type === 'string' ? option : {};
      return [name, { type: option.type, multiple, ...(short && { short }) }];
    }),
  );
  const isText = (flag: string): boolean =>
    flag.startsWith('--') && verb.options[flag.slice(2)]?.type === 'string';
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: joinNegatives(argv, isText), options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new Problem('usage', (error as Error).message, `retrain ${verb.name} --help lists the options`);
  }
  const [least, most] = verb.words;
  if (parsed.positionals.length < least || parsed.positionals.length > most) {
    throw new Problem(
      'usage',
      `retrain ${verb.name} takes ${least === most ? least : `${least} to ${most}`} word(s), not ${parsed.positionals.length}`,
      `usage: retrain ${verb.usage}`,
    );
  }
  return new Args(parsed.positionals, parsed.values);
}
