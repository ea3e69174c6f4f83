// The model that a new recipe ships: made by its own debian/retrain/make-shipped, on its own declared data.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { machineSources } from '@retraind/host/apt';
import { parseRecipe } from '@retraind/shared/recipe/control';
import { Problem } from '@retraind/shared/wire/problems';
import { bringDatasets } from '@retraind/worker/dataset/datasets';
import { findPrograms } from '@retraind/worker/programs';
import { suiteArchive } from '@retraind/worker/run';

export interface FirstModel {
  seed: number;
  sha256: string;
}

/** Kept of what the script says, for the Problem where it fails. */
const keptLines = 20;

/** Trains in `tree`, which is our own template's: without a sandbox. `cache` as for `retrain run`. */
export async function makeFirstModel(
  tree: string,
  {
    name,
    cache,
    say,
    signal,
  }: { name: string; cache: string; say: (line: string) => void; signal: AbortSignal },
): Promise<FirstModel> {
  const { recipe } = parseRecipe(await readFile(join(tree, 'debian/retrain/control'), 'utf8'));
  if (recipe === null) throw new Error('the template is no recipe');
  const programs = await findPrograms(cache, null);
  const data = await mkdtemp(join(tmpdir(), 'retrain-new-'));
  try {
    await bringDatasets({
      datasets: recipe.datasets,
      folder: data,
      tree,
      cache,
      archive: suiteArchive({ suite: { name: 'local', sources: machineSources() } }, cache, signal),
      signal,
      mayLink: true,
      say: (text) => say(text.trimEnd()),
    });
    const said: string[] = [];
    const child = spawn(join(tree, 'debian/retrain/make-shipped'), {
      cwd: tree,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      env: {
        PATH: [join(programs.retrainTfjs, 'bin'), dirname(programs.node), '/usr/bin', '/bin'].join(':'),
        RETRAIN_NODE: programs.node,
        RETRAIN_DATA: data,
        TMPDIR: tmpdir(),
        LC_ALL: 'C.UTF-8',
        TZ: 'UTC',
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n').filter(Boolean)) {
          said.push(line);
          say(line);
        }
        said.splice(0, said.length - keptLines);
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (code !== 0) {
      throw new Problem(
        'recipe-failed',
        `the first training failed:\n${said.join('\n')}`,
        'see what it says',
      );
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
  const model = await readFile(join(tree, 'models', `${name}.onnx`));
  return { seed: shippedSeed(name, '1.0-1'), sha256: createHash('sha256').update(model).digest('hex') };
}

/** The seed that make-shipped takes: 1 + (first four bytes of sha256 of `shipped/<source>/<version>`) mod (2^31 - 2). */
export function shippedSeed(source: string, version: string): number {
  const digest = createHash('sha256').update(`shipped/${source}/${version}`).digest();
  return 1 + (digest.readUInt32BE(0) % (2 ** 31 - 2));
}
