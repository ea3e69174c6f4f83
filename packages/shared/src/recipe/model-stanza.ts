// The Model stanza of debian/retrain/control: the shipped file, what the target leaves, and how the two are compared.
import { looks } from '../verdict/looks.ts';
import { dataFileCure, parseDataFile } from './data-file.ts';
import type { Stanza } from './deb822.ts';
import { fieldTable } from './fields.ts';
import { metricNames, metricsOfTask } from './metrics.ts';
import {
  type Comparison,
  comparisons,
  type DataFile,
  gnubgNets,
  type ModelFile,
  type RecipeModel,
  type Task,
  tasks,
} from './recipe.ts';
import { pathFault, StanzaReader, short } from './stanza-reader.ts';

/** Numbers of runs after which a verdict may fall. */
const lookCounts = looks.map(({ k }) => k);

/** The largest signed 32-bit number: what every generator takes. */
const maxSeed = 2 ** 31 - 1;

export function readModel(stanza: Stanza, file: string): { model: RecipeModel; reader: StanzaReader } {
  const reader = new StanzaReader(
    stanza,
    file,
    fieldTable.model.map(({ name }) => name),
  );
  const name = reader.matching(
    'Model',
    reader.text('Model'),
    /^[A-Za-z0-9][A-Za-z0-9+._-]*$/,
    'a name of letters, digits and + . _ -',
  );
  const comparison = reader.oneOf('Comparison', reader.required('Comparison'), comparisons);
  const task = reader.oneOf('Task', reader.text('Task'), tasks);
  const net = reader.oneOf('Net', reader.text('Net'), gnubgNets);
  const securityCritical = reader.yesNo('Security-Critical');
  const model: RecipeModel = {
    name: name ?? '',
    file: readFile(reader),
    net,
    output: reader.path('Output', reader.required('Output')) ?? '',
    comparison: comparison ?? 'bitwise',
    seed: reader.integer('Seed', 0, maxSeed),
    readsShipped: reader.yesNo('Reads-Shipped'),
    license: reader.required('License') ?? '',
    task: task ?? 'opaque',
    trainingData: reader.text('Training-Data'),
    trainingInputs: readDataFile(reader, 'Training-Inputs'),
    trainingTargets: readDataFile(reader, 'Training-Targets'),
    evaluationData: reader.text('Evaluation-Data'),
    evaluationInputs: readDataFile(reader, 'Evaluation-Inputs'),
    evaluationTargets: readDataFile(reader, 'Evaluation-Targets'),
    metric: reader.text('Metric'),
    margin: reader.number('Margin'),
    claimedMetric: reader.number('Claimed-Metric'),
    converter: reader.matching(
      'Converter',
      reader.text('Converter'),
      /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/,
      'a name of a rules target',
    ),
    slices: readSlices(reader),
    securityCritical,
    runs: readRuns(reader, comparison, securityCritical),
  };
  // What could not be read has been told; nothing follows from a guess.
  if (comparison !== null) checkClaim(reader, model, task);
  checkMetric(reader, task, model);
  checkSlices(reader, task, model);
  checkGroup(reader, 'Training');
  checkGroup(reader, 'Evaluation');
  return { model, reader };
}

function readFile(reader: StanzaReader): ModelFile {
  const nothing: ModelFile = { kind: 'tree', path: '' };
  const value = reader.required('File');
  if (value === null) return nothing;
  const ofPackage = /^([^/:]*):(.*)$/s.exec(value);
  if (ofPackage === null) return { kind: 'tree', path: reader.path('File', value) ?? '' };
  const [, packageName, path] = ofPackage as unknown as [string, string, string];
  if (!/^[a-z0-9][a-z0-9+.-]+$/.test(packageName)) {
    reader.fault(
      'File',
      `\`${short(packageName)}\` is no name of a binary package`,
      'write `PACKAGE:/path`, e.g. `anthy-common:/usr/share/anthy/anthy.dic`',
    );
    return nothing;
  }
  const wrong = path.startsWith('/') ? pathFault(path.slice(1)) : 'does not begin with /';
  if (wrong !== null) {
    reader.fault(
      'File',
      `the path \`${short(path)}\` ${wrong}`,
      'write the path as the package installs it, e.g. `/usr/share/anthy/anthy.dic`',
    );
  }
  return { kind: 'package', packageName, path };
}

function readDataFile(reader: StanzaReader, name: string): DataFile | null {
  const value = reader.text(name);
  if (value === null) return null;
  const file = parseDataFile(value);
  if (typeof file !== 'string') return file;
  reader.fault(name, `${name}: ${file}`, dataFileCure);
  return null;
}

function readSlices(reader: StanzaReader): 'label' | DataFile | null {
  return reader.text('Slices') === 'label' ? 'label' : readDataFile(reader, 'Slices');
}

function readRuns(
  reader: StanzaReader,
  comparison: Comparison | null,
  securityCritical: boolean,
): { min: number; max: number } {
  const usual = comparison === 'bitwise' ? { min: 1, max: 1 } : { min: 3, max: 10 };
  const value = reader.text('Runs');
  if (value === null || comparison === null) return usual;
  const match = /^(\d{1,4})(?:\.\.(\d{1,4}))?$/.exec(value);
  if (match === null) {
    reader.fault(
      'Runs',
      `Runs: \`${short(value)}\` is not of the form \`3..10\``,
      'write two of 3, 5, 10, or one of them',
    );
    return usual;
  }
  const min = Number(match[1]);
  const max = Number(match[2] ?? match[1]);
  if (comparison === 'bitwise') {
    if (min !== 1 || max !== 1)
      reader.fault(
        'Runs',
        `a bitwise comparison takes 1 run, not ${value}`,
        'write `Runs: 1` or remove the line',
      );
    return usual;
  }
  const stray = [min, max].filter((count) => !lookCounts.includes(count));
  if (stray.length > 0 || min > max) {
    reader.fault(
      'Runs',
      stray.length > 0
        ? `Runs: ${stray.join(' and ')} is not one of the looks ${lookCounts.join(', ')}`
        : `Runs: ${min} is more than ${max}`,
      'write `3..10`, `3..5`, `5..10`, `3`, `5` or `10`',
    );
    return usual;
  }
  if (securityCritical && max < 10) {
    reader.fault(
      'Runs',
      `a security-critical model is equivalent only from 10 runs, and Runs ends at ${max}`,
      'write `Runs: 3..10`',
    );
  } else if (max < 5) {
    reader.warn(
      'Runs',
      `with at most ${max} runs no verdict can be statistically-equivalent, which needs 5`,
      'write `Runs: 3..10`',
    );
  }
  return { min, max };
}

/** What each comparison must have before any run is made. */
function checkClaim(reader: StanzaReader, model: RecipeModel, task: Task | null): void {
  if (model.comparison === 'numerical') {
    reader.required('Seed', 'Comparison: numerical needs it');
    if (model.readsShipped) {
      reader.fault(
        'Reads-Shipped',
        'a recipe that reads the shipped file starts near it: no numerical comparison',
        'compare statistically, or train without the shipped file',
      );
    }
  }
  if (model.comparison === 'bitwise' && model.readsShipped) {
    reader.fault(
      'Reads-Shipped',
      'a recipe that reads the shipped file can copy it: no bitwise comparison',
      'compare statistically, or train without the shipped file',
    );
  }
  if (model.comparison === 'bitwise') return;
  const why = `Comparison: ${model.comparison} needs it`;
  const names = ['Task', 'Evaluation-Data', 'Evaluation-Inputs', 'Evaluation-Targets'];
  for (const name of model.comparison === 'numerical' ? names : [...names, 'Metric', 'Margin']) {
    reader.required(name, why);
  }
  if (task === 'opaque') {
    reader.fault(
      'Task',
      'an opaque model is judged by its bytes only',
      'write `Comparison: bitwise`, or say what the model does',
    );
  } else if (task !== null && Object.keys(metricsOfTask[task]).length === 0) {
    reader.fault(
      'Task',
      `a ${model.comparison} comparison of the task ${task} is not yet supported`,
      'use classification, probability-vector or regression, or `Comparison: bitwise`',
    );
  }
}

function checkMetric(reader: StanzaReader, task: Task | null, model: RecipeModel): void {
  const { metric, margin, claimedMetric } = model;
  // Where the task has none, that was told; where it is not said, any metric may be meant.
  const ofTask = task === null ? [] : Object.keys(metricsOfTask[task]);
  const known = ofTask.length > 0 ? ofTask : metricNames;
  if (metric !== null && !known.includes(metric)) {
    const why = metricNames.includes(metric) ? `is no metric of the task ${task}` : 'is not yet supported';
    reader.fault('Metric', `the metric \`${short(metric)}\` ${why}`, `write ${known.join(' or ')}`);
  }
  const range = metric === 'accuracy' ? metricsOfTask.classification.accuracy! : null;
  if (margin !== null && margin <= 0) {
    reader.fault(
      'Margin',
      `Margin: ${margin} is not above 0`,
      'write the largest difference in the metric that would not matter, e.g. `0.015`',
    );
  } else if (margin !== null && range !== null && margin >= range) {
    reader.fault(
      'Margin',
      `Margin: ${margin} is as wide as the range of ${metric} (${range}): every model would pass`,
      'write a fraction, e.g. `0.015` for 1.5 points',
    );
  }
  if (claimedMetric !== null && (claimedMetric < 0 || (range !== null && claimedMetric > range))) {
    reader.fault(
      'Claimed-Metric',
      `Claimed-Metric: ${claimedMetric} is no ${metric ?? 'metric'} (${range === null ? 'not below 0' : `0 to ${range}`})`,
      range === null ? 'write what is claimed, in the unit of the metric' : 'write a fraction, e.g. `0.884`',
    );
  }
}

function checkSlices(reader: StanzaReader, task: Task | null, { slices, comparison }: RecipeModel): void {
  if (slices === null) return;
  if (slices === 'label' && task !== null && task !== 'classification') {
    reader.fault(
      'Slices',
      `Slices: label cuts errors up by class, and the task ${task} has none`,
      'name a file of slice ids, or remove the line',
    );
  } else if (slices !== 'label' && !reader.has('Evaluation-Inputs')) {
    reader.required('Evaluation-Inputs', 'Slices needs it');
  } else if (comparison === 'bitwise') {
    reader.warn('Slices', 'a bitwise comparison has no errors to cut up', 'remove the line');
  }
}

/** Inputs without data or targets cannot be read. */
function checkGroup(reader: StanzaReader, group: 'Training' | 'Evaluation'): void {
  const [data, inputs, targets] = [`${group}-Data`, `${group}-Inputs`, `${group}-Targets`] as const;
  // Statistical models have been told already.
  const told = new Set(reader.faults.map(({ field }) => field));
  if (reader.has(targets) && !reader.has(inputs) && !told.has(inputs))
    reader.required(inputs, `${targets} needs it`);
  if (!reader.has(inputs)) return;
  for (const name of [data, targets]) if (!told.has(name)) reader.required(name, `${inputs} needs it`);
}
