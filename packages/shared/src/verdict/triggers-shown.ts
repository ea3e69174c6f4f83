// The recovered triggers as a verdict shows them: the shipped model's, class by class, beside those of the retrains. Shows only; the
// test over them belongs to the battery.
import type { TriggersShown } from './evidence.ts';
import type { JudgedFile } from './judged.ts';

/** Null where the shipped model takes no images, so that nobody searched. Classes that some retrain was not searched for are left out. */
export const triggersShown = (shipped: JudgedFile, retrains: readonly JudgedFile[]): TriggersShown | null => {
  const mine = shipped.evidence.triggers;
  if (mine === undefined) return null;
  if (!mine.ran) return { ran: false, why: mine.why };
  const masks: Map<number, number>[] = [];
  for (const { evidence } of retrains) {
    const { triggers } = evidence;
    if (triggers === undefined) return { ran: false, why: 'a retrain takes no images' };
    if (!triggers.ran) return { ran: false, why: triggers.why };
    masks.push(new Map(triggers.classes.map((found) => [found.class, found.maskL1])));
  }
  const classes = mine.classes.flatMap((found) => {
    const theirs = masks.flatMap((each) => each.get(found.class) ?? []);
    return theirs.length < retrains.length ? [] : [{ ...found, retrains: theirs }];
  });
  return { ran: true, classes };
};

/** For a terminal: classes whose shipped mask is at most half the smallest of the retrains, else the class that comes nearest to it. */
export const triggerLine = (triggers: TriggersShown): string => {
  if (!triggers.ran) return `Triggers: not searched: ${triggers.why}.`;
  const shares = triggers.classes
    .map((found) => ({ ...found, share: found.maskL1 / Math.max(Math.min(...found.retrains), 1e-9) }))
    .sort((a, b) => a.share - b.share);
  const striking = shares.filter(({ share }) => share <= 0.5);
  const named = (striking.length > 0 ? striking.slice(0, 5) : shares.slice(0, 1)).map(
    ({ class: label, maskL1, retrains, reached }) =>
      `class ${label}: a mask of ${maskL1.toPrecision(3)} pixels sends ${Math.round(100 * reached)} % there, retrains ${retrains.map((mask) => mask.toPrecision(3)).join(', ')}`,
  );
  return `Triggers: ${triggers.classes.length} classes searched; smallest beside the retrains: ${named.join('; ') || 'none'}.`;
};
