// Options of a program: from the environment only, read once, all faults told together, unknown RETRAIND_* names refused.
// The table of options is also what `infra/conf` is compared with, so nothing is said twice.
import { readFileSync } from 'node:fs';
import { Problem } from '@retraind/shared/wire/problems';

/** One option: its name in the environment, how its text is read, and what it means. */
export interface Option<T> {
  name: string;
  help: string;
  /** Text of the default as it would stand in the environment; undefined where it must be given or may be absent. */
  fallback: string | undefined;
  required: boolean;
  /** A secret may be given by `NAME_FILE`, and is never printed. */
  secret: boolean;
  /** The value, or a sentence that says what is wrong. */
  read(text: string): { value: T } | { fault: string };
}

type Values<O extends Record<string, Option<unknown>>> = {
  [K in keyof O]: O[K] extends Option<infer T> ? T : never;
};

interface Traits {
  help: string;
  fallback?: string;
  required?: boolean;
  secret?: boolean;
}

const option = <T>(name: string, traits: Traits, read: Option<T>['read']): Option<T> => ({
  name,
  help: traits.help,
  fallback: traits.fallback,
  required: traits.required ?? false,
  secret: traits.secret ?? false,
  read,
});

/** Any text that is not empty; undefined where it is absent and has no fallback. */
export const textOption = (name: string, traits: Traits): Option<string | undefined> =>
  option<string | undefined>(name, traits, (value) => ({ value }));

/** As `textOption`, but it must be given or have a fallback. */
export const requiredText = (name: string, traits: Traits): Option<string> =>
  option<string>(name, { ...traits, required: traits.fallback === undefined }, (value) => ({ value }));

/** A number from `least` to `most`, in the unit that the name ends in. */
export const numberOption = (
  name: string,
  limits: { least: number; most: number; whole?: boolean },
  traits: Traits & { fallback: string },
): Option<number> =>
  option<number>(name, traits, (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    const fits = value >= limits.least && value <= limits.most && (!limits.whole || Number.isInteger(value));
    const kind = limits.whole ? 'a whole number' : 'a number';
    return fits ? { value } : { fault: `“${text}” is not ${kind} from ${limits.least} to ${limits.most}` };
  });

/** One of a closed list of words. */
export const choiceOption = <T extends string>(
  name: string,
  choices: readonly T[],
  traits: Traits & { fallback: T },
): Option<T> =>
  option<T>(name, traits, (text) => {
    const value = choices.find((choice) => choice === text);
    return value === undefined ? { fault: `“${text}” is none of ${choices.join(', ')}` } : { value };
  });

/** Words with spaces between; undefined where it is absent. */
export const wordsOption = (
  name: string,
  { pattern, most }: { pattern: RegExp; most: number },
  traits: Traits,
): Option<string[] | undefined> =>
  option<string[] | undefined>(name, traits, (text) => {
    const words = [...new Set(text.split(/\s+/).filter((word) => word !== ''))];
    const wrong = words.find((word) => !pattern.test(word));
    if (wrong !== undefined) return { fault: `“${wrong}” is not of the form ${pattern.source}` };
    return words.length > most ? { fault: `holds more than ${most} words` } : { value: words };
  });

/** A URL whose scheme is one of `schemes`; undefined where it is absent. Never printed back: it may carry a password. */
export const urlOption = (
  name: string,
  schemes: readonly string[],
  traits: Traits,
): Option<string | undefined> =>
  option<string | undefined>(name, traits, (text) => {
    const scheme = URL.canParse(text) ? new URL(text).protocol.replace(':', '') : '';
    return schemes.includes(scheme)
      ? { value: text }
      : { fault: `is not a URL that begins with ${schemes.join(':// or ')}://` };
  });

export interface ListenAddress {
  host: string;
  port: number;
}

/** `HOST:PORT` or `[IPv6]:PORT`; port 0 takes any. */
export const listenOption = (name: string, traits: Traits & { fallback: string }): Option<ListenAddress> =>
  option<ListenAddress>(name, traits, (text) => {
    const match = text.match(/^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/);
    const port = Number(match?.[3]);
    if (!match || port > 65_535) return { fault: `“${text}” is not HOST:PORT` };
    return { value: { host: (match[1] ?? match[2])!, port } };
  });

/** Levels of pino, the logger of every program. */
export const logLevelOption = (): Option<
  'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
> =>
  choiceOption(
    'RETRAIND_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const,
    {
      help: 'least level that is logged',
      fallback: 'info',
    },
  );

type Environment = Record<string, string | undefined>;

/**
 * Reads all options at once.
 * @throws Problem `invalid-config` whose detail lists every fault, a line each.
 */
export function readConfig<O extends Record<string, Option<unknown>>>(
  program: string,
  options: O,
  environment: Environment,
): Values<O> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(options)) {
    const text = textOf(each, environment, faults);
    if (text === undefined) {
      if (each.required) faults.push(`${each.name} is not set: ${each.help}`);
      continue;
    }
    const result = each.read(text);
    if ('fault' in result) faults.push(`${each.name} ${result.fault}`);
    else values[key] = result.value;
  }
  faults.push(...unknownNames(options, environment));
  if (faults.length > 0) {
    throw new Problem(
      'invalid-config',
      `${program}: ${faults.length} fault(s) in the configuration:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
      `infra/conf/${program}.conf lists every option`,
    );
  }
  return values as Values<O>;
}

function textOf(each: Option<unknown>, environment: Environment, faults: string[]): string | undefined {
  const plain = environment[each.name];
  const file = each.secret ? environment[`${each.name}_FILE`] : undefined;
  if (plain && file) faults.push(`${each.name} and ${each.name}_FILE are both set: leave one out`);
  if (file) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch (error) {
      faults.push(`${each.name}_FILE: ${(error as Error).message}`);
      return undefined;
    }
  }
  return plain || each.fallback;
}

function unknownNames(options: Record<string, Option<unknown>>, environment: Environment): string[] {
  const known = new Set(
    Object.values(options).flatMap((each) => [each.name, ...(each.secret ? [`${each.name}_FILE`] : [])]),
  );
  return Object.keys(environment)
    .filter((name) => name.startsWith('RETRAIND_') && !known.has(name))
    .map((name) => `${name} is no option of this program`);
}

/**
 * The common beginning of every program: reads the configuration, or tells all its faults in plain lines and ends; with
 * `--check-config` says that it is sound and ends. `notes` are warnings that the check prints (for trusted hosts only …).
 */
export function loadConfig<O extends Record<string, Option<unknown>>>(
  program: string,
  options: O,
  notes: (config: Values<O>) => string[] = () => [],
): Values<O> {
  try {
    const config = readConfig(program, options, process.env);
    if (process.argv.includes('--check-config')) {
      for (const note of notes(config)) console.log(`${program}: note: ${note}`);
      console.log(`${program}: the configuration is sound`);
      process.exit(0);
    }
    return config;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.detail);
    if (error.hint) console.error(`  hint: ${error.hint}`);
    process.exit(error.exitCode);
  }
}
