// retrain lint: all faults of a recipe at once, each with file, line, field and cure. Nothing is run but by --pilot.
import { existsSync } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lint as lintTree, type TreeFacts } from '@retraind/shared/recipe/lint';
import type { Fault } from '@retraind/shared/recipe/recipe';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { readConfinedText } from '@retraind/worker/confined-path';
import { jsonOption, messageOption, type Verb } from '../args.ts';
import { defaultDataFolder, farmOptions, findFarm } from '../farm-client.ts';
import type { Output } from '../output.ts';
import { pilotLines, recordPilot, runPilot } from '../pilot.ts';

/** Longest control file or makefile that is read, bytes. */
const maxTextBytes = 1_048_576;

async function gatherFacts(tree: string): Promise<TreeFacts> {
  const read = (path: string): Promise<string | null> => readConfinedText(tree, path, maxTextBytes);
  const debianControl = await read('debian/control');
  // An overlay (recipes/<source>) brings its own makefile and no debian/control.
  const isOverlay = debianControl === null && existsSync(join(tree, 'debian/retrain/rules'));
  const rulesPath = isOverlay ? 'debian/retrain/rules' : 'debian/rules';
  const rulesMode = await lstat(join(tree, rulesPath)).then(
    (found) => found.mode,
    () => 0,
  );
  return {
    control: await read('debian/retrain/control'),
    debianControl,
    rulesPath,
    rules: await read(rulesPath),
    rulesIsExecutable: (rulesMode & 0o100) !== 0,
    isOverlay,
    sourceFormat: await read('debian/source/format'),
    includeBinaries: await read('debian/source/include-binaries'),
    exists: isOverlay ? null : (path) => existsSync(join(tree, path)),
  };
}

const lineOf = (fault: Fault, output: Output): string => {
  const place = `${fault.file}:${fault.line}${fault.field === null ? '' : ` ${fault.field}`}`;
  const kind = fault.severity === 'error' ? output.color.bad('error') : output.color.doubtful('warning');
  return `${place}: ${kind}: ${fault.message}\n  cure: ${fault.cure}`;
};

export const lint: Verb = {
  name: 'lint',
  usage:
    'lint PATH [--pilot [--reference FILE] [--tfjs-node FOLDER] [--record -m WHY] [--no-install] [--no-sandbox]] [--json]',
  summary: 'all faults of a recipe at once, each with its cure; nothing is run but by --pilot',
  words: [1, 1],
  options: {
    pilot: {
      type: 'boolean',
      help: 'where there is no error, train five times and hold Margin against the scatter of the metric',
    },
    reference: {
      type: 'string',
      value: 'FILE',
      help: 'with --pilot: stands for a shipped file that is not here',
    },
    'tfjs-node': {
      type: 'string',
      value: 'FOLDER',
      help: 'with --pilot: train by TensorFlow, as for `retrain run`',
    },
    record: {
      type: 'boolean',
      help: 'with --pilot: tell the farm what the trainings took, for its estimates (needs -m and a token)',
    },
    ...farmOptions,
    ...messageOption,
    'no-install': { type: 'boolean', help: 'never install a missing Debian tool' },
    'no-sandbox': { type: 'boolean', help: 'with --pilot: run the package’s code without a sandbox' },
    ...jsonOption,
  },
  async run(args, output, signal) {
    const tree = args.words[0]!;
    const found = await stat(tree).catch(() => null);
    if (!found?.isDirectory()) {
      throw new Problem(
        'not-found',
        `${tree} is no folder`,
        'name a source tree with debian/ in it, or an overlay in recipes/',
      );
    }
    const { recipe, faults } = lintTree(await gatherFacts(tree));
    const errors = faults.filter((fault) => fault.severity === 'error').length;
    const models = recipe?.models.map((model) => model.name) ?? [];
    const summary =
      errors > 0
        ? `${errors} error(s), ${faults.length - errors} warning(s)`
        : `no errors, ${faults.length} warning(s); models: ${models.join(', ')}`;
    const lines = [...faults.map((fault) => lineOf(fault, output)), summary];
    if (errors > 0 || !args.flag('pilot')) {
      output.result({ faults, models }, lines.join('\n'));
      return errors > 0 ? exitCodes.failed : exitCodes.done;
    }
    // Asked before hours are spent on training.
    const farm = args.flag('record')
      ? await findFarm({ farm: args.text('farm'), data: args.text('data') })
      : null;
    if (farm !== null) args.reason();
    // Five trainings are no verdict's: they lie in a folder of their own.
    const results = join(defaultDataFolder(), 'pilots');
    const pilot = await runPilot(tree, args, output, { results, signal });
    const told = [...lines, ...pilotLines(pilot.pilots, output)];
    if (farm !== null) told.push(`recorded: ${await recordPilot(farm, pilot, args.reason())}`);
    output.result({ faults, models, pilots: pilot.pilots }, told.join('\n'));
    return exitCodes.done;
  },
};
