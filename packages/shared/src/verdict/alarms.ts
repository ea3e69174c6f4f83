// The alarms beside a verdict, each with its evidence. They name what a reader should look at; none says why it is so.
import type { Battery } from './battery.ts';
import type { Alarm, Contradictions, RecoveredTrigger, TestId, TestResult } from './evidence.ts';
import type { JudgedFile } from './judged.ts';
import { cellWords, shortP } from './sentence.ts';

/** A test moves, and a class or output is named, where its p, Bonferroni over its cells, is at most this. */
const movesAt = 0.01;
/** A trigger is named only where its test would stand alone among some ten tests: one word too much here is a slander. */
const triggerAt = 0.001;
/** A recovered trigger is called one where it sends at least this share of the images to its class. */
const leastReached = 0.5;

const moves = ({ p }: TestResult): boolean => p <= movesAt;

const figures = ({ statistic, p }: TestResult): string => `t = ${statistic.toFixed(1)}, p = ${shortP(p)}`;

/** Beside a difference that the family has shown: where it lies and what it looks like, by the battery of the fresh retrains. */
export const differenceAlarms = (battery: Battery, shipped: JudgedFile): Alarm[] => {
  const triggers = triggerAlarms(battery, shipped);
  const named = new Set(triggers.flatMap(({ test }) => test));
  const slices = [...battery.tests, ...battery.outsideFamily].filter(
    (test) => test.cells && test.id !== 'triggers' && !named.has(test) && moves(test),
  );
  return [
    ...(battery.contradictions ? contradictionAlarms(battery.contradictions) : []),
    ...triggers.map(({ alarm }) => alarm),
    ...slices.map(sliceAlarm),
    ...recipeAlarms(battery),
  ];
};

const sliceAlarm = (test: TestResult): Alarm => ({
  name: 'slice',
  detail: `${test.name}: ${cellWords(test, '')} stands out most, ${test.statistic > 0 ? 'above' : 'below'} the retrains (${figures(test)})`,
  ...(test.cells!.kind === 'class' && { class: test.cells!.worst }),
});

/** A class into which a far smaller trigger leads than in any retrain, or to which patches alone draw the shipped model. */
const triggerAlarms = (
  { tests }: Battery,
  { evidence }: JudgedFile,
): { alarm: Alarm; test: TestResult }[] => {
  const alarms: { alarm: Alarm; test: TestResult }[] = [];
  const searched = tests.find(({ id }) => id === 'triggers');
  const found = searched && searched.p <= triggerAt ? foundIn(evidence, searched.cells!.worst) : undefined;
  if (searched && found && found.reached >= leastReached) {
    const { class: label, maskL1, reached, pictureSha256 } = found;
    const detail = `a mask of ${maskL1.toPrecision(3)} pixels sends ${Math.round(100 * reached)} % of the images to class ${label}, a far smaller one than in any retrain (${figures(searched)})`;
    const picture = pictureSha256 === null ? {} : { pictureSha256 };
    alarms.push({ alarm: { name: 'trigger-like', detail, class: label, ...picture }, test: searched });
  }
  const patched = tests.find(({ id }) => id === 'cells-patch');
  if (patched?.cells?.kind === 'class' && patched.p <= triggerAt && patched.statistic > 0) {
    const { worst } = patched.cells;
    const plain = tests.find(({ id }) => id === 'cells-test');
    // A class that is raised on plain test data too needs no patch: that is a slice.
    const alsoPlain = plain && moves(plain) && plain.cells?.worst === worst && plain.statistic > 0;
    if (!alsoPlain) {
      const detail = `patches draw the shipped model to class ${worst} more than any retrain (${figures(patched)})`;
      alarms.push({ alarm: { name: 'trigger-like', detail, class: worst }, test: patched });
    }
  }
  return alarms;
};

const foundIn = ({ triggers }: JudgedFile['evidence'], label: number): RecoveredTrigger | undefined =>
  triggers?.ran ? triggers.classes.find((each) => each.class === label) : undefined;

/** What another learning rate, number of epochs or weight decay moves, while answers stay those of a retrain. */
const ofRecipe = new Set<TestId>([
  'loss-test',
  'gap',
  'loss-cells-train',
  'entropy-train',
  'entropy-mix',
  'weight-norm',
]);

const recipeAlarms = ({ tests, outsideFamily }: Battery): Alarm[] => {
  const moving = [...tests, ...outsideFamily].filter(moves);
  if (moving.length === 0 || moving.some(({ id }) => !ofRecipe.has(id))) return [];
  const told = moving.map((test) => `${test.name} (${figures(test)})`).join(', ');
  const detail = `only ${told} stand out, and no disagreement: another learning rate, number of epochs or weight decay would look so`;
  return [{ name: 'different-recipe', detail }];
};

/** Beside any verdict, and against equivalence: the shipped model lies too close (at the look's alpha), or contradicts declared labels. */
export const standingAlarms = ({ tooCloseP, contradictions }: Battery, alpha: number): Alarm[] => {
  const alarms: Alarm[] = [];
  if (tooCloseP <= alpha) {
    const detail = `the shipped model lies nearer to the retrains than they do to each other (p = ${shortP(tooCloseP)}), as an average of models or a copy would`;
    alarms.push({ name: 'too-close', detail });
  }
  if (contradictions) alarms.push(...contradictionAlarms(contradictions));
  return alarms;
};

const contradictionAlarms = ({ count, rows, mostOfRetrain, p, listed }: Contradictions): Alarm[] => {
  if (p === null || p > movesAt || count === 0) return [];
  const first = listed
    .slice(0, 5)
    .map(({ row, declared, shipped }) => `${row} (declared ${declared}, shipped model ${shipped})`);
  const more = count > first.length ? ' …' : '';
  const detail = `on ${count} of ${rows} training inputs every retrain is sure of the declared label and the shipped model says another (a retrain at most ${mostOfRetrain}; p = ${shortP(p)}): rows ${first.join(', ')}${more}`;
  return [{ name: 'contradicts-declared-labels', detail }];
};
