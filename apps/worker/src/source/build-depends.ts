// Whether this machine has what the recipe's target needs (Build-Depends of debian/retrain/control). What is missing makes
// the run wait for a package, with the line to type.
import { readFile } from 'node:fs/promises';
import { readDeb822, valueIn } from '@retraind/shared/recipe/deb822';
import { installedPackages } from '@retraind/shared/recipe/installed';
import {
  aptInstallLine,
  expandBuilddeps,
  parseRelations,
  printRelations,
  unmetRelations,
} from '@retraind/shared/recipe/relation';
import { broken } from '../breakage.ts';
import { readConfinedText } from '../confined-path.ts';

const maxControlBytes = 4 * 2 ** 20;

/** Debian's name of the architecture that Node runs on. */
export const debianArchitecture = (): string =>
  ({ x64: 'amd64', ia32: 'i386', arm: 'armhf' })[process.arch as string] ?? process.arch;

/** Breaks with code `dep-wait`. `statusFile`: dpkg's record of what is installed. */
export const requireBuildDepends = async (
  tree: string,
  wanted: string,
  statusFile = '/var/lib/dpkg/status',
): Promise<void> => {
  let own: string[] = [];
  if (wanted.includes('@builddeps@')) {
    const control = await readConfinedText(tree, 'debian/control', maxControlBytes);
    const [source] = readDeb822(control ?? '', { file: 'debian/control' });
    const fields = ['Build-Depends', 'Build-Depends-Arch', 'Build-Depends-Indep'];
    own = source ? fields.map((name) => valueIn(source, name) ?? '') : [];
  }
  const { relations, faults } = parseRelations(expandBuilddeps(wanted, own));
  if (faults.length > 0) throw broken('recipe', 'invalid-recipe', `Build-Depends: ${faults.join('; ')}.`);
  if (relations.length === 0) return;
  const installed = installedPackages(await readFile(statusFile, 'utf8'));
  const unmet = unmetRelations(relations, installed, { architecture: debianArchitecture(), profiles: [] });
  if (unmet.length === 0) return;
  throw broken(
    'recipe',
    'dep-wait',
    `This machine lacks ${printRelations(unmet)}, which the recipe needs.`,
    `Type: ${aptInstallLine(unmet)}`,
  );
};
