// What a dependence run is not given: a tenth of the records of the training data, the same of inputs and targets. Where a model
// declares none, the text files of its data lose a tenth of their lines. Held-out data stays as it is, unless it is the same file.
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recipe, RecipeModel } from '@retraind/shared/recipe/recipe';
import type { WithheldRecords } from '@retraind/shared/verdict/evidence';
import { Problem } from '@retraind/shared/wire/problems';
import { broken } from '../breakage.ts';
import { digestOf } from '../compression.ts';
import { filesWithBytes } from '../source/shipped-files.ts';
import type { RecordFormat } from './record-layout.ts';
import { countRecords, shorten, withheldOf, withheldOneOf } from './shorten.ts';

export interface WithholdRequest {
  recipe: Pick<Recipe, 'models' | 'datasets'>;
  /** Folder with one folder a dataset. */
  folder: string;
  /** The unpacked source: files there with the bytes of a shortened one are replaced too. */
  tree: string;
  jobSeed: string;
  say: (line: string) => void;
}

interface Part {
  dataset: string;
  path: string;
  format: RecordFormat;
}

/** Files that must lose the same records. */
type Group = Part[];

const declaredGroup = ({ trainingData, trainingInputs, trainingTargets }: RecipeModel): Group =>
  [trainingInputs, trainingTargets].flatMap((file) =>
    file === null || trainingData === null
      ? []
      : [{ dataset: trainingData, path: file.path, format: file.format }],
  );

/** Each file of the data of a model that declares no training inputs, but what is held out. */
const undeclaredGroups = ({ models, datasets }: WithholdRequest['recipe']): Group[] => {
  const heldOut = new Set(
    models.flatMap(({ evaluationData, evaluationInputs, evaluationTargets }) =>
      [evaluationInputs, evaluationTargets].map((file) => `${evaluationData}/${file?.path}`),
    ),
  );
  return models
    .filter(({ trainingInputs }) => trainingInputs === null)
    .flatMap(({ trainingData }) =>
      datasets
        .filter(({ name }) => trainingData === null || name === trainingData)
        .flatMap(({ name, files }) =>
          files.map(({ path }) => ({ dataset: name, path, format: 'text' as const })),
        )
        .filter(({ dataset, path }) => !heldOut.has(`${dataset}/${path}`))
        .map((part) => [part]),
    );
};

const nameOf = ({ dataset, path }: Pick<Part, 'dataset' | 'path'>): string => `${dataset}/${path}`;

/**
 * Shortens the training data in place and says by how much. Breaks (blame recipe, `not-supported`) where no record of any file can be
 * taken: then no dependence run can be made.
 */
export const withholdRecords = async (request: WithholdRequest): Promise<WithheldRecords[]> => {
  const { recipe, say } = request;
  const declared = recipe.models.map(declaredGroup).filter((group) => group.length > 0);
  const done = new Map<string, WithheldRecords>();
  const refusals: string[] = [];
  for (const group of [...declared, ...undeclaredGroups(recipe)]) {
    if (group.some((part) => done.has(nameOf(part)))) continue;
    try {
      for (const part of await shortenGroup(request, group)) done.set(nameOf(part), part);
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'disk-full') throw error;
      refusals.push(`${group.map(nameOf).join(' and ')}: ${error.detail}`);
    }
  }
  for (const [name, { records, withheld }] of done) {
    say(`withheld: ${withheld} of ${records} records of ${name}\n`);
  }
  for (const refusal of refusals) say(`not withheld: ${refusal}\n`);
  if (done.size > 0) return [...done.values()];
  throw broken(
    'recipe',
    'not-supported',
    refusals.length > 0
      ? `No records can be withheld from the training data: ${refusals.join('; ')}.`.slice(0, 3_000)
      : 'No records can be withheld: the recipe declares no data.',
    'Declare Training-Inputs and Training-Targets.',
  );
};

const shortenGroup = async (request: WithholdRequest, group: Group): Promise<WithheldRecords[]> => {
  const { folder, tree, jobSeed } = request;
  const counts: number[] = [];
  for (const part of group)
    counts.push(await countRecords(join(folder, part.dataset, part.path), part.format));
  const records = counts[0]!;
  if (counts.some((count) => count !== records)) {
    throw new Problem('invalid-data', `they have ${counts.join(' and ')} records`);
  }
  if (records < withheldOneOf)
    throw new Problem('invalid-data', `${records} records are fewer than ${withheldOneOf}`);
  // All of a group are shortened or none: drafts first.
  const drafts: { path: string; draft: string }[] = [];
  try {
    for (const { dataset, path: name, format } of group) {
      const original = await digestOf(join(folder, dataset, name), 'decompressed');
      for await (const { path } of filesWithBytes([folder, tree], [original])) {
        if (drafts.some((each) => each.path === path)) continue;
        const draft = `${path}.withheld`;
        drafts.push({ path, draft });
        await shorten(path, draft, format, records, jobSeed);
      }
    }
    for (const { path, draft } of drafts) await rename(draft, path);
  } finally {
    for (const { draft } of drafts) await rm(draft, { force: true });
  }
  return group.map(({ dataset, path }) => ({ dataset, path, records, withheld: withheldOf(records) }));
};
