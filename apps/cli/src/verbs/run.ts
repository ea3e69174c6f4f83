// retrain run: one job on this machine, with the farm's own steps and no server.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTool } from '@retraind/host/debian-tools';
import { exitCodeOf } from '@retraind/shared/verdict/exit-code';
import { explainVerdict } from '@retraind/shared/verdict/explanation';
import { exitCodes, Problem, type ProblemCode, problemTable } from '@retraind/shared/wire/problems';
import { type LocalJobResult, runLocalJob } from '@retraind/worker/local-job';
import { type Args, jsonOption, type Verb } from '../args.ts';
import { cacheFolder } from '../cache-folder.ts';
import { defaultDataFolder } from '../farm-client.ts';
import type { Output } from '../output.ts';
import { openRunProgress } from '../run-progress.ts';
import { digestLines, verdictNotes, verdictTable } from '../verdict-view.ts';

const overlays = fileURLToPath(new URL('../../../../recipes', import.meta.url));

/** `anthy` is a package, `./anthy`, `/src/anthy`, `x.dsc` and whatever has a slash is a path. */
const sourceOf = (word: string): { path: string } | { packageName: string } =>
  /^[a-z0-9][a-z0-9+.-]*$/.test(word) && !word.endsWith('.dsc') ? { packageName: word } : { path: word };

function show(result: LocalJobResult, args: Args, output: Output): number {
  const { source, version } = result;
  if (result.broken) {
    const { blame, step, code, detail, hint } = result.broken;
    const lines = [`${source} ${version}: broken at ${step}, blame ${blame}: ${detail}`];
    if (hint) lines.push(`  hint: ${hint}`);
    lines.push(`  records and logs: ${result.folder}`);
    output.result(result, lines.join('\n'));
    return code in problemTable ? problemTable[code as ProblemCode].exit : exitCodes.failed;
  }
  const pictureAt = (sha256: string): string | null =>
    result.pictures.find((picture) => picture.sha256 === sha256)?.path ?? null;
  const models = result.verdicts.map((verdict) => ({ source, version, verdict, pictureAt }));
  const parts = [verdictTable(models, output.color), verdictNotes(models, output.color), digestLines(models)];
  if (args.flag('explain')) parts.push(...models.map((model) => explainVerdict(model.verdict).join('\n')));
  const [picture] = result.pictures;
  if (picture) parts.push(`pictures of the recovered triggers lie in ${dirname(picture.path)}`);
  parts.push(`records are unsigned and lie in ${result.folder}`);
  output.result({ ...result, signed: false }, parts.join('\n\n'));
  return exitCodeOf(result.verdicts);
}

export const run: Verb = {
  name: 'run',
  usage:
    'run PATH|PACKAGE [--reference FILE] [--runs N] [--seed S] [--parallel N] [--results FOLDER] [--tfjs-node FOLDER] [--explain] [--no-install] [--no-sandbox] [--json]',
  summary: 'retrain a package on this machine and judge what it ships, without a farm',
  words: [1, 1],
  options: {
    reference: { type: 'string', value: 'FILE', help: 'judge this file in place of the shipped one' },
    runs: {
      type: 'string',
      value: 'N',
      help: 'exactly N retrains (default: as many as the verdict needs: 3, 5 or 10)',
    },
    seed: { type: 'string', value: 'S', help: 'job seed (default: derived from source, version and data)' },
    parallel: { type: 'string', value: 'N', help: 'runs at a time (default: one a core)' },
    results: {
      type: 'string',
      value: 'FOLDER',
      help: 'where records and weights are kept (default: runs/ in the XDG state folder of retraind); a job that was cut off goes on from there',
    },
    'tfjs-node': {
      type: 'string',
      value: 'FOLDER',
      help: 'let retrain-tfjs train by TensorFlow, in the folder that infra/gpu/install-tfjs-node printed (default: by WebAssembly, with the same bits on every machine)',
    },
    explain: { type: 'boolean', help: 'every test and reason behind the verdict' },
    'no-install': { type: 'boolean', help: 'never install a missing Debian tool' },
    'no-sandbox': {
      type: 'boolean',
      help: 'run the package’s code without a sandbox: every record is tainted',
    },
    ...jsonOption,
  },
  async run(args, output, signal) {
    const word = args.words[0]!;
    const source = sourceOf(word);
    // What the words and numbers mean first: nothing is installed for a command that is not understood.
    const seed = args.wholeNumber('seed', 0, 999_999_999_999_999);
    const runs = args.wholeNumber('runs', 1, 10) ?? null;
    const parallel = args.wholeNumber('parallel', 1, 64);
    const install = !args.flag('no-install');
    const tools = ['dpkg-source', 'make', 'xz', ...(args.flag('no-sandbox') ? [] : ['bwrap'])] as const;
    for (const tool of tools) await ensureTool(tool as 'make', { install, say: output.say });
    const progress = openRunProgress(output.say);
    try {
      const result = await runLocalJob({
        source,
        overlays,
        reference: args.text('reference') ?? null,
        runs,
        seed: seed === undefined ? null : String(seed),
        sandbox: args.flag('no-sandbox') ? 'none' : 'bwrap',
        tfjsNode: args.text('tfjs-node') ?? null,
        resultsFolder: args.text('results') ?? join(defaultDataFolder(), 'runs'),
        cacheFolder: cacheFolder(),
        parallel,
        signal,
        onEvent: (event) => {
          if (!output.json) progress.show(event);
        },
      });
      progress.stop();
      return show(result, args, output);
    } catch (error) {
      progress.stop();
      if (signal.aborted)
        output.say(`interrupted; the same command goes on with the runs that were reported`);
      if (error instanceof Problem && error.code === 'not-found' && 'packageName' in source) {
        throw new Problem(
          error.code,
          error.detail,
          error.hint ?? `a folder of that name is written ./${word}`,
        );
      }
      throw error;
    }
  },
};
