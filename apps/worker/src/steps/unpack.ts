// Step 2: from what came to a tree that is ready to train and cannot copy: unpacked, overlaid, recipe read and agreed, needs
// met, data laid out, shipped files gone.
import { chmod, cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { seedOfPlace } from '@retraind/shared/job/run-place';
import { jobSeedOf } from '@retraind/shared/job/seed';
import { parseRecipe } from '@retraind/shared/recipe/control';
import { convertersOf, type Fault, type Recipe } from '@retraind/shared/recipe/recipe';
import { parseTag } from '@retraind/shared/recipe/tag';
import { versionWithoutEpoch } from '@retraind/shared/recipe/version';
import type { WithheldRecords } from '@retraind/shared/verdict/evidence';
import { broken } from '../breakage.ts';
import { readConfinedText } from '../confined-path.ts';
import { bringDatasets } from '../dataset/datasets.ts';
import { withholdRecords } from '../dataset/withhold.ts';
import { requireBuildDepends } from '../source/build-depends.ts';
import { type ChangelogHead, readChangelogHead } from '../source/changelog.ts';
import { findCompanions } from '../source/companions.ts';
import { copyTree } from '../source/copy.ts';
import { requirePhony } from '../source/phony.ts';
import { type Reference, removeTwins, takeOutShipped } from '../source/shipped-files.ts';
import { shippedPackage } from '../source/shipped-package.ts';
import { checkTarball } from '../source/tar-check.ts';
import type { RunContext } from './context.ts';
import type { Fetched } from './fetch.ts';

export interface Unpacked {
  tree: string;
  head: ChangelogHead;
  recipe: Recipe;
  /** Text of debian/retrain/control. */
  control: string;
  /** The makefile that holds the target, below the tree. */
  rules: string;
  overlaid: boolean;
  jobSeed: string;
  seed: number;
  /** What a dependence run was not given; null for other runs. */
  withheld: WithheldRecords[] | null;
  references: Reference[];
  /** Files of the host's system folders that the recipe must not see. */
  hidden: string[];
  taints: string[];
}

const controlPath = 'debian/retrain/control';
const maxControlBytes = 2 ** 20;
const unpackSeconds = 1_800;

/** Where the tree lies for the recipe: the same on every machine. */
export const buildPathOf = (source: string, version: string): string =>
  `/build/reproducible-path/${source}-${versionWithoutEpoch(version)}`;

const unpackSource = async (context: RunContext, { source }: Fetched): Promise<void> => {
  const { folders, sandbox, say } = context;
  await mkdir(folders.tree);
  if (source.kind === 'tree') {
    await copyTree(source.folder, join(folders.tree, 'tree'));
    return;
  }
  for (const file of source.files) {
    if (/\.tar\.\w+$/.test(file)) await checkTarball(file);
  }
  const files = [source.dsc, ...source.files].map((path) => ({
    source: path,
    target: `/build/source/${basename(path)}`,
    writable: false,
  }));
  const room = { source: folders.tree, target: '/build/unpacked', writable: true };
  let said = '';
  const ending = await sandbox.run({
    argv: [
      'dpkg-source',
      '--no-copy',
      '-x',
      sandbox.pathInside(files[0]!),
      `${sandbox.pathInside(room)}/tree`,
    ],
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/nonexistent' },
    cwd: sandbox.pathInside(room),
    mounts: [...files, room],
    hidden: [],
    limits: {
      seconds: unpackSeconds,
      silenceSeconds: unpackSeconds,
      logBytes: 2 ** 20,
      diskBytes: 64 * 2 ** 30,
      memoryBytes: 4 * 2 ** 30,
    },
    signsOfLife: [],
    onOutput: (chunk) => {
      said += chunk.toString('utf8');
    },
    signal: context.signal,
  });
  say(said);
  context.signal.throwIfAborted();
  if (ending.exitCode === 0) return;
  // Of itself, or of dpkg-source inside, which bwrap tells as 128 and the signal (137 is SIGKILL).
  if (ending.reason === 'killed' || ending.exitCode === 137) {
    throw broken(
      'node',
      'out-of-memory',
      `dpkg-source was killed while it unpacked ${basename(source.dsc)}.`,
    );
  }
  const last = said.trim().split('\n').at(-1) ?? '';
  throw broken(
    'recipe',
    'invalid-archive',
    `dpkg-source cannot unpack ${basename(source.dsc)}: ${last || ending.reason}.`,
    'Build the source package anew (dpkg-source -b).',
  );
};

const layOverlay = async (overlay: string, tree: string): Promise<void> => {
  await cp(join(overlay, 'debian/retrain'), join(tree, 'debian/retrain'), {
    recursive: true,
    verbatimSymlinks: true,
    force: true,
  });
};

const faultLines = (faults: readonly Fault[]): string =>
  faults
    .map(
      ({ file, line, field, message, cure }) =>
        `${file}:${line}: ${field ? `${field}: ` : ''}${message}; ${cure}`,
    )
    .join('\n');

const readRecipe = async (
  context: RunContext,
  tree: string,
  overlaid: boolean,
): Promise<{ recipe: Recipe; control: string }> => {
  const control = await readConfinedText(tree, controlPath, maxControlBytes);
  if (control === null) {
    throw broken(
      'recipe',
      'invalid-recipe',
      `There is no ${controlPath}: this source has no recipe.`,
      'Write one (docs/reference/recipe.md), or give an overlay.',
    );
  }
  const debianControl = overlaid ? null : await readConfinedText(tree, 'debian/control', 4 * maxControlBytes);
  const tag = debianControl === null ? { tag: null, faults: [] } : parseTag(debianControl);
  const read = parseRecipe(control, controlPath, tag.tag);
  const faults = [...tag.faults, ...read.faults];
  const errors = faults.filter(({ severity }) => severity === 'error');
  if (faults.length > errors.length)
    context.say(`${faultLines(faults.filter(({ severity }) => severity === 'warning'))}\n`);
  if (read.recipe === null || errors.length > 0) {
    const count = errors.length === 1 ? 'a fault' : `${errors.length} faults`;
    throw broken(
      'recipe',
      'invalid-recipe',
      `The recipe has ${count}:\n${faultLines(errors)}`,
      'Mend them all; `retrain lint` shows them without a run.',
    );
  }
  return { recipe: read.recipe, control };
};

export const unpackStep = async (context: RunContext, fetched: Fetched): Promise<Unpacked> => {
  const { assignment, folders, say, farm } = context;
  context.progress('unpack', null);
  await unpackSource(context, fetched);
  const tree = join(folders.tree, 'tree');
  // A tree of one's own may be private, and a tarball may say so; bubblewrap enters it with no right to overrule that.
  await chmod(tree, 0o755);
  const head = await readChangelogHead(tree);
  if (head.source !== assignment.source || head.version !== assignment.version) {
    throw broken(
      'recipe',
      'invalid-archive',
      `debian/changelog says ${head.source} ${head.version}, the archive says ${assignment.source} ${assignment.version}.`,
      'Make the two agree.',
    );
  }
  const own = (await readConfinedText(tree, controlPath, maxControlBytes)) !== null;
  const overlaid = fetched.overlay !== null && !own;
  if (fetched.overlay !== null && own) say('the package has a recipe of its own: the overlay is not used\n');
  if (overlaid) await layOverlay(fetched.overlay!, tree);
  const rules = overlaid ? 'debian/retrain/rules' : 'debian/rules';

  const { recipe, control } = await readRecipe(context, tree, overlaid);
  if ((await readConfinedText(tree, rules, 4 * maxControlBytes)) === null) {
    throw broken(
      'recipe',
      'invalid-recipe',
      `There is no ${rules}.`,
      'Write it, with the target of the recipe.',
    );
  }
  await chmod(join(tree, rules), 0o755);
  for (const target of [recipe.target, ...convertersOf(recipe)]) await requirePhony(tree, rules, target);
  await requireBuildDepends(tree, recipe.buildDepends);

  const jobSeed = jobSeedOf(recipe, {
    override: assignment.seedOverride,
    source: head.source,
    version: head.version,
    beacon: assignment.beacon,
  });
  await farm.tellRecipe({ control, jobSeed });

  await bringDatasets({
    datasets: recipe.datasets,
    folder: folders.data,
    tree,
    cache: context.cache,
    archive: context.archive,
    signal: context.signal,
    mayLink: context.sandbox.confines,
    say,
  });
  const withheld =
    assignment.purpose === 'dependence'
      ? await withholdRecords({ recipe, folder: folders.data, tree, jobSeed, say })
      : null;
  let questions = 0;
  const references = await takeOutShipped({
    models: recipe.models,
    tree,
    folder: folders.references,
    packageFolder: (packageName) => shippedPackage(context, packageName, head),
    override: context.referenceFile,
    companionsOf: (path) => {
      questions += 1;
      return findCompanions(context, path, join(folders.evidence, `companions-${questions}`));
    },
    say,
  });
  await removeTwins([tree, folders.data], references, say);
  return {
    tree,
    head,
    recipe,
    control,
    rules,
    overlaid,
    jobSeed,
    seed: seedOfPlace(jobSeed, assignment),
    withheld,
    references,
    hidden: recipe.models.flatMap(({ file }) => (file.kind === 'package' ? [file.path] : [])),
    taints: recipe.models.some(({ readsShipped }) => readsShipped) ? ['reads-shipped'] : [],
  };
};
