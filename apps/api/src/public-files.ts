// The few files that pages ask for, read once: the stylesheet, the icon, the script of the live log.
import { readFileSync } from 'node:fs';
import { Problem } from '@retraind/shared/wire/problems';
import { Type } from 'typebox';
import { type App, answersBytes } from './route.ts';

const types = {
  'retraind.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'live-log.js': 'text/javascript; charset=utf-8',
} as const;

export function publicFiles(app: App): void {
  const texts = new Map(
    Object.keys(types).map((name) => [
      name,
      readFileSync(new URL(`public/${name}`, import.meta.url), 'utf8'),
    ]),
  );
  app.get(
    '/public/:name',
    {
      schema: {
        hide: true,
        params: Type.Object({ name: Type.String({ maxLength: 64 }) }),
        response: answersBytes(Object.values(types), 'A file of the pages.'),
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const text = texts.get(name);
      if (text === undefined) throw new Problem('not-found', 'There is no such file.');
      return reply.type(types[name as keyof typeof types]).send(text);
    },
  );
}
