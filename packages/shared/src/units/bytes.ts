// Sizes as recipes and configuration write them: `2 GiB`, `500 MB`. The unit is never guessed: a bare number is no size.
// Source: IEC 80000-13 for the binary prefixes, SI for the decimal ones.

const factors: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

export const byteUnits = Object.keys(factors);

/** Bytes of a text such as `1.5 GiB`, rounded to whole bytes; null where it is no size or its unit is missing or unknown. */
export function parseBytes(text: string): number | null {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([A-Za-z]+)$/.exec(text.trim());
  const factor = match && Object.hasOwn(factors, match[2]!) ? factors[match[2]!] : undefined;
  if (match === null || factor === undefined) return null;
  const bytes = Math.round(Number(match[1]) * factor);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Prints bytes so that parseBytes gives the same number: the largest binary unit that divides them. `bytes` is a whole number ≥ 0. */
export function printBytes(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const count = bytes / factors[unit]!;
    if (bytes > 0 && Number.isInteger(count)) return `${count} ${unit}`;
  }
  return `${bytes} B`;
}

/** Prints bytes for people, rounded to three figures: `31.2 MiB`. */
export function displayBytes(bytes: number): string {
  const unit = ['TiB', 'GiB', 'MiB', 'KiB'].find((name) => bytes >= factors[name]!);
  if (unit === undefined) return `${Math.round(bytes)} B`;
  const count = bytes / factors[unit]!;
  return `${count.toFixed(count >= 100 ? 0 : count >= 10 ? 1 : 2)} ${unit}`;
}
