// Suites: the archives that the farm reads.

import * as suites from '@retraind/prisma/store/suites';
import { Suite, SuiteRequest } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, bearer } from '../route.ts';

export function suiteRoutes(app: App, { db }: Farm): void {
  app.get(
    '/api/v1/suites',
    {
      schema: {
        tags: ['suites'],
        summary: 'All suites, and when their indexes were read',
        response: answers(Type.Object({ items: Type.Array(Suite) }), 'The suites.'),
      },
    },
    async () => ({ items: (await suites.list(db)).map(suiteView) }),
  );

  app.post(
    '/api/v1/suites',
    {
      preHandler: needsRight(db, 'suites.add'),
      schema: {
        tags: ['suites'],
        summary:
          'Read an archive from now on: apt’s deb822 `.sources` text with its key inline (`Signed-By`)',
        security: bearer,
        body: SuiteRequest,
        response: answersCreated(Suite, 'The suite was known: its sources and interval are the new ones.'),
      },
    },
    async (request, reply) => {
      const known = await suites.byName(db, request.body.name);
      const suite = await suites.add(db, request.body, request.actor);
      reply.code(known === null ? 201 : 200);
      return suiteView(suite);
    },
  );
}

const suiteView = (suite: suites.Suite): Suite => ({
  name: suite.name,
  sources: suite.sources,
  intakeSeconds: suite.intakeSeconds,
  indexedAt: suite.indexReadAt?.toISOString() ?? null,
  indexProblem: suite.indexProblem,
});
