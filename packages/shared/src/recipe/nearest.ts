// "Did you mean": the nearest of some words by edits. Source: optimal string alignment distance (insert, delete, replace, swap).

function edits(a: string, b: string): number {
  // Three rows of the table are enough: the one before last is needed for swaps.
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** A guess is worth little time: longer words and further candidates are not looked at. */
const maxWordLength = 100;
const maxCandidates = 50;

/** The candidate nearest to `word`, without regard to case; null where none is within a third of its length. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > maxWordLength) return null;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  let looked = 0;
  for (const candidate of candidates) {
    if (looked++ === maxCandidates) break;
    const allowed = Math.max(1, Math.floor(candidate.length / 3));
    if (candidate.length > maxWordLength || Math.abs(candidate.length - word.length) > allowed) continue;
    const distance = edits(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least && distance <= allowed) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}
