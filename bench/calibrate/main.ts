// How often the verdicts are wrong, measured with our own code (docs/reference/error-rates.md).
//   npm run calibrate -- TASK [--quick] [--jobs CORES] [--cache DIR] [--json]
// Trains honest and tampered models under seeds 1, 2, … (kept in .cache/calibrate: a second call goes on where the first one
// ended), draws shipped models and retrains from them, judges each draw as the farm does and writes the task's section of the page.
// --quick trains fewer models afresh, reads nothing that was stored, and prints its section instead. Ends with 1 where a goal
// is missed.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { calibrate } from './calibration.ts';
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
const task = taskNamed(positionals[0] ?? '');
if (!task || positionals.length !== 1)
  throw refuse(`name one task: ${tasks.map(({ name }) => name).join(', ')}`);
const jobs = Number(values.jobs);
if (!(Number.isInteger(jobs) && jobs > 0)) refuse(`--jobs is a whole number above 0, not '${values.jobs}'`);

const cache = values.quick ? mkdtempSync(join(tmpdir(), 'retraind-calibrate-')) : values.cache;
try {
  const report = await calibrate(task, { quick: values.quick, jobs, cache });
  const section = sectionOf(task, report);
  if (!values.quick) await writeSection(page, task.name, section);
  console.log(values.json ? JSON.stringify(report, null, 2) : section);
  if (!values.quick) console.error(`wrote the section ${task.name} of ${page}`);
  const missed = report.goals.filter(({ met }) => !met);
  if (missed.length > 0) {
    console.error(['calibrate: missed goals:', ...goalLines(missed)].join('\n'));
    process.exitCode = 1;
  }
} finally {
  if (values.quick) rmSync(cache, { recursive: true, force: true });
}
