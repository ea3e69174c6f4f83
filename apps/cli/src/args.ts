// The arguments of a verb: declared once as a table, parsed by node:util, faults told with the cure.
import { parseArgs } from 'node:util';
import { Problem } from '@retraind/shared/wire/problems';
import type { Output } from './output.ts';

export type OptionSpec = { type: 'boolean'; help: string } | { type: 'string'; value: string; help: string };

export interface Verb {
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

export class Args {
  readonly words: string[];
  readonly #values: Record<string, string | boolean | undefined>;

  constructor(words: string[], values: Record<string, string | boolean | undefined>) {
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

  /** A whole number within limits; anything else is a usage Problem that names the option. */
  wholeNumber(name: string, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new Problem('usage', `--${name} ${text}: a whole number from ${least} to ${most} is needed`);
    }
    return value;
  }
}

/** Parses what follows the verb. Throws Problem `usage`. */
export function parseVerbArgs(verb: Verb, argv: string[]): Args {
  const options = Object.fromEntries(
    Object.entries(verb.options).map(([name, { type }]) => [name, { type }]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: argv, options, allowPositionals: true, strict: true });
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
  return new Args(parsed.positionals, parsed.values as Record<string, string | boolean | undefined>);
}
