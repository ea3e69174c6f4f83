// Durations as recipes and configuration write them: `30 min`, `1 h 30 min`. The unit is never guessed.

const factors: Record<string, number> = { d: 86_400, h: 3_600, min: 60, s: 1 };

export const durationUnits = Object.keys(factors);

/** Seconds of a text such as `1 h 30 min`; null where it is no duration or a unit is missing or unknown. Larger units come first. */
export function parseDuration(text: string): number | null {
  const match = /^(?:(\d{1,6}) ?d)? ?(?:(\d{1,8}) ?h)? ?(?:(\d{1,9}) ?min)? ?(?:(\d{1,10}) ?s)?$/.exec(
    text.trim(),
  );
  if (match === null) return null;
  const [days, hours, minutes, seconds] = match.slice(1);
  if ([days, hours, minutes, seconds].every((part) => part === undefined)) return null;
  return (
    Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
  );
}

/** Prints whole seconds so that parseDuration gives the same number: `1 h 30 min`. */
export function printDuration(seconds: number): string {
  let left = Math.round(seconds);
  const parts: string[] = [];
  for (const [unit, factor] of Object.entries(factors)) {
    const count = Math.floor(left / factor);
    if (count > 0) parts.push(`${count} ${unit}`);
    left -= count * factor;
  }
  return parts.length > 0 ? parts.join(' ') : '0 s';
}

/** Prints seconds for people, at most two units: `2 d 3 h`, `4 min 5 s`, `0.4 s`. */
export function displayDuration(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const grain = seconds >= 86_400 ? 3_600 : seconds >= 3_600 ? 60 : 1;
  return printDuration(Math.round(seconds / grain) * grain);
}
