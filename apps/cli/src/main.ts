// retrain: the command line. Finds the verb, runs it, turns what went wrong into one clear line and an exit code.
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { flagOf, parseVerbArgs, type Verb } from './args.ts';
import { openOutput } from './output.ts';
import { verbs } from './verbs.ts';

const overview = (): string => {
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  const rows = verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}`);
  return `usage: retrain VERB [options]\n\n${rows.join('\n')}\n\nretrain VERB --help says more; --json prints for programs; exit codes: docs/reference/cli.md`;
};

const usageOf = (verb: Verb): string => {
  const rows = Object.entries(verb.options).map(([name, option]) => {
    return `  ${flagOf(name, option).padEnd(24)}  ${option.help}`;
  });
  return `usage: retrain ${verb.usage}\n\n${verb.summary}\n\n${rows.join('\n')}`;
};

async function main(argv: string[]): Promise<number> {
  const [name] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(overview());
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  const verb = verbOf(argv);
  const rest = argv.slice(verb.name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(usageOf(verb));
    return exitCodes.done;
  }
  const args = parseVerbArgs(verb, rest);
  const stop = new AbortController();
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupted) process.exit(exitCodes.interrupted);
      interrupted = true;
      stop.abort(new Problem('usage', 'interrupted'));
    });
  }
  try {
    const code = await verb.run(args, openOutput({ json: args.flag('json') }), stop.signal);
    return interrupted && !verb.endsByInterrupt ? exitCodes.interrupted : code;
  } catch (error) {
    if (interrupted) return exitCodes.interrupted;
    throw error;
  }
}

/** The verb that the words begin with. Throws Problem `usage` where there is none. */
function verbOf(argv: string[]): Verb {
  const [first, second = ''] = argv as [string, string?];
  const verb =
    verbs.find(({ name }) => name === `${first} ${second}`) ?? verbs.find(({ name }) => name === first);
  if (verb) return verb;
  const deeds = verbs.filter(({ name }) => name.startsWith(`${first} `));
  throw new Problem(
    'usage',
    deeds.length > 0 ? `retrain ${first} needs to be told what` : `there is no verb “${first}”`,
    `one of: ${(deeds.length > 0 ? deeds : verbs).map((each) => each.name).join(', ')}`,
  );
}

function tell(error: unknown): number {
  const json = process.argv.includes('--json');
  if (error instanceof Problem) {
    if (json) console.log(JSON.stringify({ problem: error.toJSON() }));
    console.error(`retrain: ${error.detail}`);
    if (error.hint) console.error(`  hint: ${error.hint}`);
    return error.exitCode;
  }
  console.error('retrain: internal error (a bug; please report it with the lines below)');
  console.error(error);
  return exitCodes.failed;
}

// A pipe that its reader closed (`retrain log … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2)).catch(tell);
// Timers and sockets of a finished verb must not keep the shell waiting.
setImmediate(() => process.exit());
