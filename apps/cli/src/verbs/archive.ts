// retrain archive: a signed apt archive of one's own in a folder, for packages that no distribution carries yet.

import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { openArchive } from '@retraind/host/archive';
import { serveArchive } from '@retraind/host/archive/server';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import type { Verb } from '../args.ts';

const deeds = 'add, sources, serve';

export const archive: Verb = {
  name: 'archive',
  usage:
    'archive add FOLDER FILE… | archive sources FOLDER [--uri URI] | archive serve FOLDER [--listen HOST:PORT]',
  summary:
    'a signed apt archive in a folder: add .dsc and .deb files, print its .sources text, serve it over HTTP',
  words: [2, 1_000],
  endsByInterrupt: true,
  options: {
    name: { type: 'string', value: 'NAME', help: 'name of the suite inside the archive (default: local)' },
    uri: {
      type: 'string',
      value: 'URI',
      help: 'sources: where readers find the archive (default: the folder)',
    },
    listen: { type: 'string', value: 'HOST:PORT', help: 'serve: the address (default: 127.0.0.1:8482)' },
  },
  async run(args, output, signal) {
    const [deed, folder, ...files] = args.words as [string, string, ...string[]];
    if (!['add', 'sources', 'serve'].includes(deed)) {
      throw new Problem('usage', `archive ${deed}: the deeds are ${deeds}`, 'retrain archive --help');
    }
    if (deed === 'add' ? files.length === 0 : files.length > 0) {
      throw new Problem('usage', `archive ${deed} takes ${deed === 'add' ? 'files' : 'the folder alone'}`);
    }
    const opened = await openArchive({ folder, suite: args.text('name') });
    if (deed === 'sources') {
      process.stdout.write(opened.sources(args.text('uri')));
      return exitCodes.done;
    }
    if (deed === 'add') {
      for (const file of files) {
        if (!(await stat(file).catch(() => null))?.isFile())
          throw new Problem('not-found', `there is no file ${file}`);
        if (file.endsWith('.dsc')) await opened.addSource(file);
        else if (file.endsWith('.deb')) await opened.addBinary(file);
        else throw new Problem('usage', `${file} is neither .dsc nor .deb`);
        output.say(`added ${file}`);
      }
      await opened.publish();
      return exitCodes.done;
    }
    const [, host, port] = /^(.+):(\d{1,5})$/.exec(args.text('listen') ?? '127.0.0.1:8482') ?? [];
    if (!host || Number(port) > 65_535) throw new Problem('usage', '--listen takes HOST:PORT');
    const server = await serveArchive(opened.publicFolder, Number(port), host.replace(/^\[|\]$/g, ''));
    output.say(`serving ${opened.publicFolder} at ${server.address} until Ctrl-C`);
    if (!signal.aborted) await once(signal, 'abort');
    await server.close();
    return exitCodes.done;
  },
};
