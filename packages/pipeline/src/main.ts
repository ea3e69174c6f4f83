// `retrain-tfjs SCRIPT`: fixes everything random, opens an engine, then runs the recipe's script, in which
// `import … from 'retrain-tfjs'` works without any node_modules. This file loads no tfjs: Math.random is replaced first.
import module from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { RecipeFault } from './fault.ts';
import { Interrupted } from './fit/interrupted.ts';
import { writeMetrics } from './metrics.ts';
import { replaceMathRandom } from './random.ts';
import { run } from './run.ts';

const usage = 'usage: retrain-tfjs [--engine NAME] SCRIPT';

/** Lets the recipe import 'retrain-tfjs' by name from wherever it lies: `api` is the URL of the module. */
function answerToName(api: string): void {
  if (module.registerHooks) {
    module.registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'retrain-tfjs' ? { url: api, shortCircuit: true } : next(specifier, context),
    });
    return;
  }
  // Node 20 and early 22 know only hooks in a module of their own; Node 26 no longer has this form.
  const hooks = `export const resolve = (specifier, context, next) =>
    specifier === 'retrain-tfjs' ? { url: ${JSON.stringify(api)}, shortCircuit: true } : next(specifier, context);`;
  module.register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

/** Runs the command; answers its exit status. `api` is the URL of the module that recipes import. */
export async function main(args: string[], api: string): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { engine: { type: 'string' } },
      allowPositionals: true,
    });
    const [script] = positionals;
    if (script === undefined || positionals.length > 1) {
      console.error(usage);
      return 2;
    }
    replaceMathRandom(run.seed);
    answerToName(api);
    const { openEngine, openOtherEngine } = (await import(api)) as typeof import('./api.ts');
    const open = run.numerics === 4 ? openOtherEngine : openEngine;
    const engine = await open(values.engine);
    writeMetrics({ engine: `retrain-tfjs ${engine.label}` });
    console.error(`retrain-tfjs: engine ${engine.label}, seed ${run.seed}`);
    await import(pathToFileURL(resolve(script)).href);
    return 0;
  } catch (error) {
    return tell(error);
  }
}

function tell(error: unknown): number {
  if (error instanceof RecipeFault) {
    console.error(`retrain-tfjs: ${error.message}\n  ${error.cure}`);
    return 1;
  }
  if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) {
    console.error(`retrain-tfjs: ${(error as Error).message}\n${usage}`);
    return 2;
  }
  if (error instanceof Interrupted) {
    console.error(`retrain-tfjs: ${error.message}`);
    return error.status;
  }
  console.error(error);
  return 1;
}
