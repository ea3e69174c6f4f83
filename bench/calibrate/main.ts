// How often the verdicts are wrong, measured with our own code (docs/reference/error-rates.md).
//   npm run calibrate -- TASK|lineage [--quick] [--jobs CORES] [--cache DIR] [--json]
// Trains honest and tampered models under seeds 1, 2, … (kept in .cache/calibrate: a second call goes on where the first one
// ended), draws shipped models and retrains from them, judges each draw as the farm does and writes the task's section of the page.
// --quick trains fewer models afresh, reads nothing that was stored, and prints its section instead. Ends with 1 where a goal
// is missed.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type CalibrationOptions, calibrate } from './calibration.ts';
import { calibrateLineage } from './lineage.ts';
import { lineageGoals, lineageSection } from './lineage-section.ts';
import { writeSection } from './page.ts';
import { goalLines, sectionOf } from './tables.ts';
import { taskNamed, tasks } from './tasks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = join(root, 'docs/reference/error-rates.md');

const refuse = (what: string): never => {
  console.error(`calibrate: ${what}`);
  process.exit(2);
};

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    cache: { type: 'string', default: join(root, '.cache/calibrate') },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [name = ''] = positionals;
const names = [...tasks.map(({ name }) => name), 'lineage'];
if (positionals.length !== 1 || !names.includes(name)) refuse(`name one of ${names.join(', ')}`);
const jobs = Number(values.jobs);
if (!(Number.isInteger(jobs) && jobs > 0)) refuse(`--jobs is a whole number above 0, not '${values.jobs}'`);

/** What a run leaves: its report, its section of the page, and the goals that it missed. */
interface Outcome {
  report: object;
  section: string;
  missed: string[];
}

const outcomeOf = async (options: CalibrationOptions): Promise<Outcome> => {
  const task = taskNamed(name);
  if (!task) {
    const report = await calibrateLineage(options);
    const missed = lineageGoals(report).flatMap(({ text, met }) => (met ? [] : text));
    return { report, section: lineageSection(report), missed };
  }
  const report = await calibrate(task, options);
  const missed = goalLines(report.goals.filter(({ met }) => !met));
  return { report, section: sectionOf(task, report), missed };
};

const cache = values.quick ? mkdtempSync(join(tmpdir(), 'retraind-calibrate-')) : values.cache;
if (values.quick) {
  process.once('exit', () => rmSync(cache, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
}
const { report, section, missed } = await outcomeOf({ quick: values.quick, jobs, cache });
if (!values.quick) {
  await writeSection(page, name, section);
  console.error(`wrote the section ${name} of ${page}`);
}
console.log(values.json ? JSON.stringify(report, null, 2) : section);
if (missed.length > 0) {
  console.error(['calibrate: missed goals:', ...missed].join('\n'));
  process.exitCode = 1;
}
