// retrain suite add FILE: let the farm read an archive. FILE is apt's own deb822 `.sources` text with the key inline.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import type { Suite } from '@retraind/shared/wire/resources';
import { jsonOption, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';

const hour = 3_600;

export const suite: Verb = {
  name: 'suite',
  usage: 'suite add FILE [--name NAME] [--interval SECONDS] [--json]',
  summary: 'let the farm read an archive (a deb822 .sources file with Signed-By inline)',
  words: [2, 2],
  options: {
    ...farmOptions,
    name: { type: 'string', value: 'NAME', help: 'name of the suite (default: the file’s name)' },
    interval: { type: 'string', value: 'SECONDS', help: 'how often its index is asked for (default: 3600)' },
    ...jsonOption,
  },
  async run(args, output) {
    const [deed, file] = args.words as [string, string];
    if (deed !== 'add')
      throw new Problem('usage', `suite ${deed}: the one deed is “add”`, 'retrain suite add FILE');
    const sources = await readFile(file, 'utf8').catch((error: Error) => {
      throw new Problem('not-found', `${file} cannot be read: ${error.message}`);
    });
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const name = args.text('name') ?? basename(file).replace(/\.sources$/, '');
    const added = await farm.post<Suite>('/api/v1/suites', {
      name,
      sources,
      intakeSeconds: args.wholeNumber('interval', 1, 604_800) ?? hour,
    });
    output.result(added, `suite ${added.name}: its index is read every ${added.intakeSeconds} s`);
    return exitCodes.done;
  },
};
