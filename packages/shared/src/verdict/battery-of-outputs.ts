// core-8, the battery of regression and of vectors of probabilities, with the patch probes where they were made. Source:
// docs/explanation/verdicts.md.
import { type Asked, distancesOf } from './battery-of-classifier.ts';
import { cellsTest } from './cells-test.ts';
import { type Compared, outputsOf } from './compared.ts';
import { gapTest } from './gap.ts';
import { lossTest } from './loss-test.ts';
import { sliceBiasTest } from './slice-bias.ts';
import { weightNormTest } from './weight-norm.ts';

/** Eight tests, ten with patch probes; fewer where the recipe declares no training set or no slices. */
export const outputTests = (compared: Compared): Asked => {
  const { peers, distance } = distancesOf(compared);
  const family = [
    lossTest(compared),
    distance('test'),
    cellsTest(compared, 'test'),
    sliceBiasTest(compared),
    distance('train'),
    gapTest(compared),
    distance('noise'),
    cellsTest(compared, 'noise'),
  ];
  if (outputsOf(compared.shipped, 'patch')) family.push(distance('patch'), cellsTest(compared, 'patch'));
  return { family, outside: [weightNormTest(compared)], peers };
};
