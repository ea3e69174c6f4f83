// How often the verdicts are wrong, measured with our own code (docs/reference/error-rates.md).
//   npm run bench:rates -- [--honest 20] [--pool 10] [--tampered 10] [--draws 20] [--jobs CORES] [--cache DIR] [--fashion-mnist DIR] [--json]
// Trains honest + pool models of examples/clothes and the tampered ones under seeds 1, 2, …; each of the first `honest` ones and each
// tampered one is then the shipped file, against ten retrains drawn from the other honest ones. Ends with 1 where fewer than nine
// in ten tampered models are found or more than one in twenty honest ones is called different.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseRecipe } from '@retraind/shared/recipe/control';
import { fashionMnist } from '../examples/makers/fashion-mnist.ts';
import { drawVerdicts, type Rates, ratesOf } from './draws.ts';
import { evaluateAll } from './evaluation.ts';
import { trainPool } from './model-pool.ts';
import { openProgress } from './progress.ts';
import { printRates, type RatesReport } from './rates-table.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    honest: { type: 'string', default: '20' },
    pool: { type: 'string', default: '10' },
    tampered: { type: 'string', default: '10' },
    draws: { type: 'string', default: '20' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    cache: { type: 'string', default: join(root, '.cache/rates') },
    'fashion-mnist': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const counted = (name: 'honest' | 'pool' | 'tampered' | 'draws' | 'jobs', least: number): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`bench:rates: --${name} is a whole number of at least ${least}, not '${values[name]}'`);
  process.exit(2);
};

const honest = counted('honest', 1);
// Ten retrains are drawn from the honest models other than the shipped one.
const pool = counted('pool', Math.max(1, 11 - honest));
const tampered = counted('tampered', 1);
const draws = counted('draws', 1);
const jobs = counted('jobs', 1);
const startedAt = Date.now();

const control = readFileSync(join(root, 'examples/clothes/debian/retrain/control'), 'utf8');
const { recipe, faults } = parseRecipe(control);
if (recipe === null)
  throw new Error(faults.map(({ line, message }) => `line ${line}: ${message}`).join('; '));
const model = recipe.models[0]!;
const data = values['fashion-mnist'] ?? (await fashionMnist());
const models = await trainPool({
  honest: honest + pool,
  tampered,
  jobs,
  cache: values.cache,
  fashionMnist: data,
  onTrained: openProgress('training'),
});
const files = await evaluateAll(
  models.map(({ path }) => path),
  { model, data, jobSeed: 'rates', jobs, cache: values.cache, onEvaluated: openProgress('evaluating') },
);

const honestFiles = files.filter((_, i) => models[i]!.kind === 'honest');
const tamperedFiles = files.filter((_, i) => models[i]!.kind === 'tampered');
const progress = openProgress('judging');
let judged = 0;
const rates = (kind: string, shipped: typeof files): Rates =>
  ratesOf(
    shipped.map((file, i) => {
      const others = honestFiles.filter((other) => other !== file);
      const verdicts = drawVerdicts(model, `${kind} ${i + 1}`, file, others, draws);
      judged += 1;
      progress(judged, honest + tampered);
      return verdicts;
    }),
  );
progress(0, honest + tampered);
const accuracies = (of: typeof files): number[] => of.map(({ evidence }) => evidence.metric!.value);
const report: RatesReport = {
  margin: model.margin!,
  accuracy: { honest: accuracies(honestFiles), tampered: accuracies(tamperedFiles) },
  honest: rates('honest', honestFiles.slice(0, honest)),
  tampered: rates('tampered', tamperedFiles),
  seconds: Math.round((Date.now() - startedAt) / 1_000),
};
const met = printRates(report, values.json ? 'json' : 'text');
process.exitCode = met ? 0 : 1;
