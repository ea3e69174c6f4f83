// retrain farm: the embedded farm, until it is stopped.
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Verb } from '../args.ts';
import { startEmbeddedFarm } from '../embedded-farm.ts';
import { defaultDataFolder } from '../farm-client.ts';

export const farm: Verb = {
  name: 'farm',
  usage: 'farm [--data FOLDER] [--listen HOST:PORT] [--slots N] [--seed N] [--no-install] [--no-sandbox]',
  summary: 'a farm on this machine: api, scheduler and workers, until Ctrl-C',
  words: [0, 0],
  endsByInterrupt: true,
  options: {
    data: {
      type: 'string',
      value: 'FOLDER',
      help: 'data folder (default: the XDG state folder of retraind)',
    },
    listen: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'where the API and pages are (default: 127.0.0.1:8480)',
    },
    slots: { type: 'string', value: 'N', help: 'workers (default: one a core)' },
    seed: { type: 'string', value: 'N', help: 'job seed of every job that intake makes (for tests)' },
    'no-install': { type: 'boolean', help: 'never install a missing Debian tool' },
    'no-sandbox': {
      type: 'boolean',
      help: 'run the packages’ code without a sandbox: every record is tainted',
    },
  },
  async run(args, output, signal) {
    const seed = args.wholeNumber('seed', 0, 999_999_999_999_999);
    const started = await startEmbeddedFarm(
      {
        data: args.text('data') ?? defaultDataFolder(),
        listen: args.text('listen'),
        slots: args.wholeNumber('slots', 1, 64),
        seed: seed === undefined ? undefined : String(seed),
        install: !args.flag('no-install'),
        sandbox: args.flag('no-sandbox') ? 'none' : 'bwrap',
      },
      output.say,
      signal,
    );
    output.say(`the farm is up: ${started.client.address}/`);
    await started.ended;
    await started.stop();
    return exitCodes.done;
  },
};
