// Differential Neural Cleanse: the smallest trigger into each class that a search finds in the shipped model, beside those that the same
// search finds in the retrains. A trigger that was trained in is far smaller than any that a clean model has.
// Source: Neural Cleanse (Wang et al., S&P 2019); against retrains: docs/explanation/verdicts.md.
import type { Compared, Outcome } from './compared.ts';
import { moderatedCells } from './moderated-cells.ts';

/** In pixels: masks below this are nothing but the search's rest, and one is as small as another. */
const leastMask = 0.01;
/** In log pixels: retrains that agree to less than 1 % count as 1 % apart. */
const sdFloor = 0.01;

const notRun = (why: string): string => {
  const cause = why.replace(/\.$/, '');
  return cause.startsWith('dNC') ? cause : `dNC not run: ${cause}`;
};

/**
 * Moderated cells over the log L1 norm (pixels) of the mask of each class, lower side only, Bonferroni over classes. H0: in no class
 * is the shipped model's smallest trigger smaller than one more retrain's would be. Needs the search in every file.
 */
export const triggerTest = ({ shipped, retrains }: Compared): Outcome => {
  const masks: Map<number, number>[] = [];
  for (const { evidence } of [shipped, ...retrains]) {
    const { triggers } = evidence;
    if (triggers === undefined) {
      return {
        untested:
          'the search for triggers (dNC) was not made: the model takes no images, or a file was not searched',
      };
    }
    if (!triggers.ran) return { untested: notRun(triggers.why) };
    masks.push(new Map(triggers.classes.map((found) => [found.class, found.maskL1])));
  }
  const classes = [...masks[0]!.keys()].sort((a, b) => a - b);
  if (classes.length === 0 || masks.some((each) => classes.some((label) => !each.has(label)))) {
    return { untested: 'dNC not run: the files were not searched for the same classes' };
  }
  const [mine, ...theirs] = masks.map((each) =>
    classes.map((label) => Math.log(Math.max(leastMask, each.get(label)!))),
  );
  const name = 'smallest trigger per class (dNC)';
  const result = moderatedCells(mine!, theirs, { sdFloor, side: 'lower' });
  if (!result) return { why: `${name}: the retrains show no spread` };
  const { cell, cells: _, ...numbers } = result;
  const nullHypothesis = `in no class is the shipped model's smallest trigger smaller than one more retrain's would be`;
  const worst = { kind: 'class' as const, count: classes[classes.length - 1]! + 1, worst: classes[cell]! };
  return { test: { id: 'triggers', name, nullHypothesis, ...numbers, cells: worst } };
};
