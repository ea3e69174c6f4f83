// `retrain lint`: everything that can be said of a source tree's recipe without running it. Pure: the caller reads the tree and
// hands over its facts; all faults come out together, errors and warnings, in the order of files and lines.

import { parseRecipe } from './control.ts';
import { type MakefileFacts, readMakefile } from './makefile.ts';
import { convertersOf, type Fault, type Recipe } from './recipe.ts';
import { parseTag, type RetrainTag } from './tag.ts';

/** What lint must know of a tree; texts are null where the file is absent. */
export interface TreeFacts {
  /** debian/retrain/control. */
  control: string | null;
  /** debian/control. */
  debianControl: string | null;
  /** Path of the makefile that holds the target: debian/rules, or debian/retrain/rules of an overlay. */
  rulesPath: string;
  rules: string | null;
  rulesIsExecutable: boolean;
  /** Whether the recipe is the farm's own: then no tag is expected. */
  isOverlay: boolean;
  /** debian/source/format. */
  sourceFormat: string | null;
  /** debian/source/include-binaries. */
  includeBinaries: string | null;
  /** Whether the tree has a file or folder at this path, relative to its root; null for an overlay without its tree. */
  exists: ((path: string) => boolean) | null;
}

export interface LintReport {
  recipe: Recipe | null;
  tag: RetrainTag | null;
  faults: Fault[];
}

const controlPath = 'debian/retrain/control';

export function lint(facts: TreeFacts): LintReport {
  const tagged = facts.debianControl === null ? { tag: null, faults: [] } : parseTag(facts.debianControl);
  const faults: Fault[] = [...tagged.faults];
  if (facts.control === null) {
    faults.push({
      file: controlPath,
      line: 1,
      field: null,
      severity: 'error',
      message: 'the file is absent: this source has no recipe',
      cure: 'write it (docs/reference/recipe.md has an example), or give an overlay',
    });
    return { recipe: null, tag: tagged.tag, faults };
  }
  const { recipe, faults: controlFaults } = parseRecipe(
    facts.control,
    controlPath,
    facts.isOverlay ? null : tagged.tag,
  );
  faults.push(...controlFaults);
  if (!facts.isOverlay && tagged.tag === null && tagged.faults.length === 0) {
    faults.push({
      file: 'debian/control',
      line: 1,
      field: 'XS-Retrain',
      severity: 'warning',
      message: 'the source stanza has no tag: no farm will find this recipe in an index',
      cure: `add \`XS-Retrain: ${recipe?.target ?? 'bootstrap'}\` to the source stanza`,
    });
  }
  if (recipe) faults.push(...rulesFaults(recipe, facts), ...fileFaults(recipe, facts));
  return { recipe, tag: tagged.tag, faults };
}

/** Target and converters must be rules of their own. */
function rulesFaults(recipe: Recipe, { rulesPath, rules, rulesIsExecutable, exists }: TreeFacts): Fault[] {
  const fault: FaultAt = (line, severity, message, cure) => ({
    file: rulesPath,
    line,
    field: null,
    severity,
    message,
    cure,
  });
  if (rules === null)
    return [fault(1, 'error', 'the file is absent', `write it, with a rule for the target ${recipe.target}`)];
  const makefile = readMakefile(rules);
  const faults: Fault[] = [];
  if (!rulesIsExecutable)
    faults.push(fault(1, 'error', 'the file is not executable', `chmod +x ${rulesPath}`));
  faults.push(...targetFaults(recipe.target, 'trains', makefile, exists, fault));
  for (const converter of convertersOf(recipe))
    faults.push(...targetFaults(converter, 'converts', makefile, exists, fault));
  return faults;
}

type FaultAt = (line: number, severity: Fault['severity'], message: string, cure: string) => Fault;

/** A rule of its own, and phony: make calls a file of its name up to date, and succeeds. `does`: what for. */
function targetFaults(
  target: string,
  does: 'trains' | 'converts',
  { targets, phony, includes }: MakefileFacts,
  exists: TreeFacts['exists'],
  fault: FaultAt,
): Fault[] {
  const faults: Fault[] = [];
  const line = targets.get(target);
  if (line === undefined) {
    // dh's `%:` does not help: it refuses a sequence that it does not know.
    faults.push(
      fault(
        1,
        includes ? 'warning' : 'error',
        `there is no rule for the target ${target}${includes ? ' (included files were not read)' : ''}`,
        `add one: \`.PHONY: ${target}\`, \`${target}:\` and what ${does} the model`,
      ),
    );
  }
  if (phony.has(target)) return faults;
  const shadow = exists?.(target) ?? false;
  faults.push(
    fault(
      line ?? 1,
      shadow ? 'error' : 'warning',
      shadow
        ? `the tree has a file named ${target} and the target is not phony: make would call it up to date and do nothing`
        : `the target ${target} is not phony: a file of that name would stop it`,
      `add the line \`.PHONY: ${target}\``,
    ),
  );
  return faults;
}

/** Files that the recipe names in the tree must be there, and must survive `dpkg-source -b`. */
function fileFaults(recipe: Recipe, facts: TreeFacts): Fault[] {
  const faults: Fault[] = [];
  const lines = (facts.control ?? '').split('\n');
  const fault = (field: string, value: string, message: string, cure: string): void => {
    const at = lines.findIndex(
      (text) => text.toLowerCase().startsWith(`${field.toLowerCase()}:`) && text.includes(value),
    );
    faults.push({ file: controlPath, line: at + 1 || 1, field, severity: 'error', message, cure });
  };
  const included = new Set(
    (facts.includeBinaries ?? '')
      .split('\n')
      .map((text) => text.trim())
      .filter((text) => text !== '' && !text.startsWith('#')),
  );
  const isQuilt = facts.sourceFormat?.trim() === '3.0 (quilt)';
  for (const { name, file } of recipe.models) {
    if (file.kind !== 'tree') continue;
    if (facts.exists?.(file.path) === false) {
      fault(
        'File',
        file.path,
        `the shipped file of the model ${name}, ${file.path}, is not in the tree`,
        'mend the path, or write `PACKAGE:/path` for a file of a binary package',
      );
    } else if (isQuilt && file.path.startsWith('debian/') && !included.has(file.path)) {
      fault(
        'File',
        file.path,
        `3.0 (quilt) cannot carry the binary file ${file.path} in the debian tarball`,
        `name it in debian/source/include-binaries, or ship it in the orig tarball`,
      );
    }
  }
  for (const { name, locations, directory, files } of recipe.datasets) {
    if (!locations.every(({ transport }) => transport === 'in-source')) continue;
    for (const { path } of files) {
      const whole = directory === '' ? path : `${directory}/${path}`;
      if (facts.exists?.(whole) === false) {
        fault(
          'Dataset',
          name,
          `the dataset ${name} pins ${whole}, which is not in the tree`,
          'mend Directory or the path in the checksums',
        );
      }
    }
  }
  return faults;
}
