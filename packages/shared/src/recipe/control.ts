// Reads debian/retrain/control (docs/reference/recipe.md, Retrain-Format 1.0). Pure: whoever holds the text, worker, API or
// CLI, gets the same recipe and the same faults, all of them in one go.
import { parseWishes, printWishes, wishCure } from '../gpu/wish.ts';
import { readDataset } from './dataset-stanza.ts';
import { type Deb822Limits, parseDeb822, type Stanza } from './deb822.ts';
import { fieldTable } from './fields.ts';
import { readModel } from './model-stanza.ts';
import { nearest } from './nearest.ts';
import {
  type DataFile,
  type Fault,
  policies,
  type Recipe,
  type RecipeDataset,
  type RecipeModel,
} from './recipe.ts';
import { parseRelations } from './relation.ts';
import { StanzaReader, short } from './stanza-reader.ts';
import { type RetrainTag, targetPattern } from './tag.ts';

const gib = 2 ** 30;

/** Far over any real recipe; a hostile one costs no more than this. */
const recipeLimits: Deb822Limits = {
  textLength: 1_048_576,
  stanzas: 2_000,
  fieldsPerStanza: 100,
  lineLength: 8_192,
};

interface Named<T> {
  value: T;
  reader: StanzaReader;
}

/**
 * The recipe of a control file, null where any fault is an error, and all faults in order of their lines. `tag` (of debian/control
 * or of the index) fills what the file leaves out and must agree where both speak.
 */
export function parseRecipe(
  text: string,
  file = 'debian/retrain/control',
  tag: RetrainTag | null = null,
): { recipe: Recipe | null; faults: Fault[] } {
  const { stanzas, faults } = parseDeb822(text, { file, limits: recipeLimits });
  const [head, ...rest] = stanzas;
  if (head === undefined) {
    faults.push({
      file,
      line: 1,
      field: 'Retrain-Format',
      severity: 'error',
      message: 'the file has no stanza',
      cure: 'begin with `Retrain-Format: 1.0`',
    });
    return { recipe: null, faults };
  }
  const headReader = new StanzaReader(
    head,
    file,
    fieldTable.recipe.map(({ name }) => name),
  );
  const models: Named<RecipeModel>[] = [];
  const datasets: Named<RecipeDataset>[] = [];
  for (const stanza of rest) {
    const kind = kindOf(stanza);
    if (kind === 'model') {
      const { model, reader } = readModel(stanza, file);
      models.push({ value: model, reader });
    } else if (kind === 'dataset') {
      const { dataset, reader } = readDataset(stanza, file);
      datasets.push({ value: dataset, reader });
    } else faults.push(strayStanza(stanza, file));
  }
  const recipe: Recipe = {
    ...readHead(headReader, tag),
    models: models.map(({ value }) => value),
    datasets: datasets.map(({ value }) => value),
  };
  if (models.length === 0)
    headReader.fault(null, 'the recipe names no model', 'add a stanza that begins with `Model: NAME`');
  checkNames(models, datasets);
  const pins = new Map(
    datasets.map(({ value }) => [value.name, new Set(value.files.map(({ path }) => path))] as const),
  );
  for (const { value, reader } of models) checkData(value, reader, pins);
  checkDepends(headReader, recipe);
  for (const { value, reader } of models) {
    if (value.converter === recipe.target)
      reader.fault(
        'Converter',
        `the converter is the target ${recipe.target} itself`,
        'name a target of its own that turns what it left into the shipped form, or remove the line',
      );
  }

  const all = [
    ...faults,
    ...[headReader, ...[...models, ...datasets].map(({ reader }) => reader)].flatMap(
      (reader) => reader.faults,
    ),
  ];
  all.sort((a, b) => a.line - b.line);
  return { recipe: all.some(({ severity }) => severity === 'error') ? null : recipe, faults: all };
}

function kindOf(stanza: Stanza): 'model' | 'dataset' | null {
  const keys = stanza.fields.map(({ key }) => key);
  if (keys.includes('model')) return 'model';
  return keys.includes('dataset') ? 'dataset' : null;
}

function strayStanza(stanza: Stanza, file: string): Fault {
  const [first] = stanza.fields;
  const meant = nearest(first!.name, ['Model', 'Dataset']);
  return {
    file,
    line: stanza.line,
    field: first!.name,
    severity: 'error',
    message:
      first!.key === 'retrain-format'
        ? 'a second stanza with Retrain-Format'
        : `the stanza is neither a Model nor a Dataset (it begins with ${first!.name})`,
    cure:
      meant === null
        ? 'begin it with `Model: NAME` or `Dataset: NAME`; an empty line ends a stanza'
        : `did you mean ${meant}?`,
  };
}

function readHead(reader: StanzaReader, tag: RetrainTag | null): Omit<Recipe, 'models' | 'datasets'> {
  const format = reader.required('Retrain-Format');
  if (format !== null && format !== '1.0') {
    reader.fault(
      'Retrain-Format',
      `Retrain-Format ${short(format)} is not known here`,
      'write `Retrain-Format: 1.0`',
    );
  }
  const target = reader.matching('Target', reader.text('Target'), targetPattern, 'a name of a rules target');
  const policy = reader.oneOf('Policy', reader.text('Policy'), policies);
  const acceleratorText = reader.text('Accelerator');
  const { wishes, faults } = parseWishes(acceleratorText ?? 'none');
  for (const message of faults) reader.fault('Accelerator', `Accelerator: ${message}`, wishCure);
  if (tag) {
    agree(reader, 'Target', target, tag.target);
    agree(reader, 'Policy', policy, tag.policy);
    agree(
      reader,
      'Accelerator',
      acceleratorText === null || faults.length > 0 ? null : printWishes(wishes),
      tag.accelerators && printWishes(tag.accelerators),
    );
  }
  const timeLimitSeconds = reader.seconds('Time-Limit', 4 * 3_600);
  const silenceLimitSeconds = reader.seconds('Silence-Limit', Math.min(30 * 60, timeLimitSeconds));
  if (silenceLimitSeconds > timeLimitSeconds) {
    reader.fault(
      'Silence-Limit',
      'Silence-Limit is longer than Time-Limit',
      'make it shorter than the time limit',
    );
  }
  return {
    format: '1.0',
    target: target ?? tag?.target ?? 'bootstrap',
    policy: policy ?? tag?.policy ?? 'on-demand',
    buildDepends: reader.has('Build-Depends') ? (reader.text('Build-Depends') ?? '') : '',
    accelerators: acceleratorText === null ? (tag?.accelerators ?? wishes) : wishes,
    gpus: reader.integer('Gpus', 1, 64) ?? 1,
    gpuMemoryBytes: reader.bytes('Gpu-Memory', 0),
    memoryBytes: reader.bytes('Memory', 2 * gib),
    diskBytes: reader.bytes('Disk', gib),
    machines: words(
      reader,
      'Architecture',
      machineForm,
      'write Debian’s names of machines, e.g. `amd64 arm64`',
    ),
    tags: words(
      reader,
      'Tags',
      tagForm,
      'write names of lower-case letters, digits, `.`, `+` and `-`, e.g. `big-memory`',
    ),
    timeLimitSeconds,
    silenceLimitSeconds,
  };
}

const machineForm = /^[a-z0-9][a-z0-9-]{1,31}$/;
/** As node/tags has them. */
const tagForm = /^[a-z0-9][a-z0-9.+-]{0,63}$/;

/** Words between blanks, each once; [] where the field is absent. */
function words(reader: StanzaReader, name: string, form: RegExp, cure: string): string[] {
  const text = reader.has(name) ? (reader.text(name) ?? '') : '';
  const all = [...new Set(text.split(/\s+/).filter((word) => word !== ''))];
  for (const word of all)
    if (!form.test(word)) reader.fault(name, `\`${word}\` is no word for ${name}`, cure);
  return all.filter((word) => form.test(word));
}

function agree(reader: StanzaReader, name: string, said: string | null, tagged: string | null): void {
  if (said === null || tagged === null || said === tagged) return;
  reader.fault(
    name,
    `${name} is \`${said}\` here and \`${tagged}\` in the tag (XS-Retrain…)`,
    'make the two agree, or say it in one place only',
  );
}

function checkNames(models: Named<RecipeModel>[], datasets: Named<RecipeDataset>[]): void {
  const twice = <T>(list: Named<T>[], field: string, key: (value: T) => string): void => {
    const first = new Map<string, number>();
    for (const { value, reader } of list) {
      const text = key(value);
      if (text === '') continue;
      const line = first.get(text);
      if (line === undefined) first.set(text, reader.field(field)?.line ?? reader.stanza.line);
      else
        reader.fault(
          field,
          `${field} \`${short(text)}\` is given twice (first in line ${line})`,
          'give each its own',
        );
    }
  };
  twice(models, 'Model', ({ name }) => name);
  // Each net of a file may be a model of its own.
  const netOf = ({ net }: RecipeModel): string => (net === null ? '' : ` (${net})`);
  twice(models, 'Output', (model) => model.output && `${model.output}${netOf(model)}`);
  twice(models, 'File', (model) => {
    const { file } = model;
    const path = file.kind === 'tree' ? file.path : `${file.packageName}:${file.path}`;
    return path && `${path}${netOf(model)}`;
  });
  twice(datasets, 'Dataset', ({ name }) => name);
}

/** Every dataset that a model names is declared, and every file that it reads is pinned there. */
function checkData(
  model: RecipeModel,
  reader: StanzaReader,
  pins: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const groups: [string, string | null, Record<string, DataFile | null>][] = [
    [
      'Training-Data',
      model.trainingData,
      { 'Training-Inputs': model.trainingInputs, 'Training-Targets': model.trainingTargets },
    ],
    [
      'Evaluation-Data',
      model.evaluationData,
      {
        'Evaluation-Inputs': model.evaluationInputs,
        'Evaluation-Targets': model.evaluationTargets,
        Slices: model.slices === 'label' ? null : model.slices,
      },
    ],
  ];
  for (const [field, name, files] of groups) {
    if (name === null) continue;
    const pinned = pins.get(name);
    if (pinned === undefined) {
      const meant = nearest(name, pins.keys());
      reader.fault(
        field,
        `${field}: no stanza declares the dataset \`${short(name)}\``,
        meant === null
          ? `add a stanza that begins with \`Dataset: ${short(name)}\``
          : `did you mean \`${meant}\`?`,
      );
      continue;
    }
    for (const [fileField, file] of Object.entries(files)) {
      if (file === null || pinned.has(file.path)) continue;
      const meant = nearest(file.path, pinned);
      reader.fault(
        fileField,
        `${fileField}: the dataset ${name} does not pin \`${short(file.path)}\``,
        meant === null
          ? `add its line to Checksums-Sha256 of the dataset ${name}`
          : `did you mean \`${meant}\`?`,
      );
    }
  }
}

/** Datasets come by their stanzas and retrain-tfjs by the farm: neither is a package that the target needs. */
function checkDepends(reader: StanzaReader, recipe: Recipe): void {
  const { relations, faults } = parseRelations(recipe.buildDepends.replaceAll('@builddeps@', ''));
  for (const message of faults)
    reader.fault(
      'Build-Depends',
      `Build-Depends: ${message}`,
      'write relations as in debian/control (Policy 7.1)',
    );
  const named = new Set(relations.flat().map(({ name }) => name));
  if (named.has('retrain-tfjs')) {
    reader.fault('Build-Depends', 'retrain-tfjs is no package: the farm puts it in the path', 'remove it');
  }
  for (const { name, locations } of recipe.datasets) {
    for (const { transport, location } of locations) {
      const packageName = transport === 'package' ? location.split(/[\s(:]/)[0]! : '';
      if (named.has(packageName)) {
        reader.fault(
          'Build-Depends',
          `${packageName} comes by the dataset ${name}`,
          'remove it: datasets are mounted, not installed',
        );
      }
    }
  }
}
