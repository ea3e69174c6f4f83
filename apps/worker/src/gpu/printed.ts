// Values as vendors' tools print them. A tool that prints what it never prints is not believed: it is refused, with the place.
import { Problem } from '@retraind/shared/wire/problems';

export const invalidInventory = (detail: string): Problem =>
  new Problem(
    'invalid-inventory',
    detail,
    'Run the tool by hand; a driver and a tool of different versions print such things until the machine is restarted.',
  );

/** What tools print where a device does not know a value. */
const unknown =
  /^(\[?N\/A\]?|\[?Not Supported\]?|Unknown Error|Requested functionality has been deprecated|)$/i;

/** A count or measure in `unit` ('' for a bare number); null where the tool says that it is not known. */
export const measure = (
  where: string,
  text: string | undefined,
  unit: string,
  limits: { least: number; most: number },
): number | null => {
  const trimmed = (text ?? '').trim();
  if (unknown.test(trimmed)) return null;
  const found = /^(-?\d{1,18}(?:\.\d{1,9})?)\s*(\S{0,8})$/.exec(trimmed);
  const value = Number(found?.[1]);
  if (!found || found[2] !== unit || !(value >= limits.least && value <= limits.most)) {
    throw invalidInventory(`${where} is \`${trimmed.slice(0, 80)}\`.`);
  }
  return value;
};

/** A short word or name. Problem where it is missing, too long, or does not fit the pattern. */
export const word = (where: string, text: string | undefined, pattern: RegExp, longest = 128): string => {
  const trimmed = (text ?? '').trim();
  if (trimmed === '' || trimmed.length > longest || !pattern.test(trimmed)) {
    throw invalidInventory(`${where} is \`${trimmed.slice(0, 80)}\`.`);
  }
  return trimmed;
};

/** A name for people: control characters out, cut at what the farm keeps. */
export const title = (where: string, text: string | undefined): string =>
  word(where, text?.replace(/\p{Cc}+/gu, ' ').slice(0, 256), /./, 256);

/** JSON of a tool, within limits on size and depth. Some tools warn on standard output first. */
export const printedJson = (where: string, text: string): Record<string, unknown> => {
  const begin = text.indexOf('{');
  let value: unknown;
  try {
    value = JSON.parse(text.slice(Math.max(begin, 0)));
  } catch (error) {
    throw invalidInventory(`${where} is no JSON: ${(error as Error).message.slice(0, 200)}.`);
  }
  return object(where, value);
};

export const object = (where: string, value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidInventory(`${where} is no object.`);
  }
  return value as Record<string, unknown>;
};

/** Text of a field that may be a number or text in JSON; undefined where it is absent. */
export const field = (fields: Record<string, unknown>, name: string): string | undefined => {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
};

export const pciAddress = (where: string, text: string | undefined): string =>
  word(where, text, /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i)
    .toLowerCase()
    .replace(/^[0-9a-f]{4}(?=[0-9a-f]{4}:)/, '');

/** Counters of energy of AMD and Intel tick in microjoules. */
export const microjoulesAWattHour = 3.6e9;

/** A PiB. */
export const mostBytes = 2 ** 50;
/** How many devices a machine may have, slices counted. */
export const mostDevices = 256;
