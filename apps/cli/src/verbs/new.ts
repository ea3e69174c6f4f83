// retrain new: a whole source package to begin with, whose recipe lints and runs.
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { jsonOption, type Verb } from '../args.ts';
import { cacheFolder } from '../cache-folder.ts';
import { makeFirstModel } from '../first-model.ts';
import { type TemplateName, templates, writeTemplate } from '../recipe-template.ts';

const kinds = Object.keys(templates) as TemplateName[];

/** Policy 5.6.1, and short enough for every file name that it becomes part of. */
const sourceName = /^[a-z0-9][a-z0-9+.-]{1,63}$/;

/** As dch(1) finds it; a line to be changed where nothing says. */
function maintainer(): string {
  const { DEBFULLNAME, NAME, DEBEMAIL, EMAIL } = process.env;
  const clean = (text: string): string => text.replace(/[^\P{C}]|[<>@]/gu, ' ').trim();
  const mail = /^[^\s<>@]+@[^\s<>@]+$/.exec(DEBEMAIL || EMAIL || '')?.[0];
  return `${clean(DEBFULLNAME || NAME || '') || 'Your Name'} <${mail ?? 'you@example.invalid'}>`;
}

/** The moment of the changelog entry: now, or what a reproducible caller says. */
function now(): Date {
  const { SOURCE_DATE_EPOCH } = process.env;
  return /^\d{1,11}$/.test(SOURCE_DATE_EPOCH ?? '')
    ? new Date(Number(SOURCE_DATE_EPOCH) * 1_000)
    : new Date();
}

async function refuseFolder(folder: string): Promise<void> {
  const inside = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw new Problem('conflict', `${folder} is a file`, 'choose another name');
    throw new Problem('conflict', `${folder} cannot be read (${error.code})`, 'choose another name');
  });
  if (inside.length > 0) {
    throw new Problem(
      'conflict',
      `${folder} is not empty`,
      'choose another name, or empty it: nothing is overwritten',
    );
  }
}

/** What the author does now, in order. */
function nextSteps(
  word: string,
  name: string,
  { trained, author }: { trained: boolean; author: string },
): string[] {
  const steps = [`retrain lint ${word}`, `retrain run ${word}`];
  if (!trained) {
    steps.unshift(
      `put retrain-tfjs on PATH, then ${word}/debian/retrain/make-shipped: the package has no models/${name}.onnx yet`,
    );
  }
  if (author.includes('example.invalid')) {
    steps.push(
      'put your name in debian/control, debian/changelog and debian/copyright (DEBFULLNAME and DEBEMAIL are read)',
    );
  }
  return [
    ...steps,
    'then your own data and net: debian/retrain/train.mjs, the digests and the Margin in debian/retrain/control',
    'and after each change debian/retrain/make-shipped: it makes the shipped model, with the seed of its name and version',
  ];
}

export const newRecipe: Verb = {
  name: 'new',
  usage: `new --template ${kinds.join('|')} [FOLDER/]NAME [--no-model] [--json]`,
  summary: 'a whole source package with a recipe that lints and runs, to begin with',
  words: [1, 1],
  options: {
    template: {
      type: 'string',
      value: kinds.join('|'),
      help: Object.entries(templates)
        .map(([kind, { summary }]) => `${kind}: ${summary}`)
        .join('; '),
    },
    'no-model': {
      type: 'boolean',
      help: 'do not train the model that the package ships; debian/retrain/make-shipped does it later',
    },
    ...jsonOption,
  },
  async run(args, output, signal) {
    const folder = resolve(args.words[0]!);
    const name = basename(folder);
    const kind = kinds.find((known) => known === args.text('template'));
    if (!kind) {
      throw new Problem(
        'usage',
        args.text('template') === undefined
          ? 'which template?'
          : `there is no template “${args.text('template')}”`,
        `--template ${kinds.join(', ')}`,
      );
    }
    if (!sourceName.test(name)) {
      throw new Problem(
        'usage',
        `“${name}” is no name of a source package`,
        'small letters, digits, + . -, at least two, beginning with a letter or digit',
      );
    }
    await refuseFolder(folder);
    const { makeData } = templates[kind];
    // Whole or not at all: written beside it, then renamed.
    const draft = await mkdtemp(join(dirname(folder), `.${name}.`)).catch((error: NodeJS.ErrnoException) => {
      throw new Problem(
        'not-found',
        `nothing can be written in ${dirname(folder)} (${error.code})`,
        'make that folder first',
      );
    });
    try {
      const author = maintainer();
      await writeTemplate(draft, name, kind, { maintainer: author, date: now() });
      if (makeData !== null) {
        const { status, stderr } = spawnSync(process.execPath, [join(draft, makeData)], { encoding: 'utf8' });
        if (status !== 0) throw new Error(`${makeData} failed: ${stderr}`);
      }
      let model = null;
      if (!args.flag('no-model')) {
        output.say(`training models/${name}.onnx, the file that the package ships …`);
        model = await makeFirstModel(draft, {
          name,
          cache: cacheFolder(),
          say: (line) => output.say(`  ${line}`),
          signal,
        }).catch((error) => {
          if (!(error instanceof Problem)) throw error;
          throw new Problem(
            error.code,
            error.detail,
            `${error.hint ? `${error.hint} ` : ''}--no-model writes the recipe without it.`,
          );
        });
      }
      // mkdtemp makes folders for their owner only.
      await chmod(draft, 0o755);
      await rename(draft, folder);
      const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .sort();
      const steps = nextSteps(args.words[0]!.replace(/^(?![./])/, './'), name, {
        trained: model !== null,
        author,
      });
      output.result(
        { folder, name, template: kind, files, model, next: steps },
        [`${folder}: ${files.length} files`, ...steps.map((step) => `  ${step}`)].join('\n'),
      );
      return exitCodes.done;
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
  },
};
