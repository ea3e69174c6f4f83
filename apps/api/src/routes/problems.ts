// The pages of problem types: `type` of each problem leads here.
import { Problem, type ProblemCode, problemTable } from '@retraind/shared/wire/problems';
import { Type } from 'typebox';
import { problemsPage, problemTypePage } from '../pages/problem.tsx';
import { type App, answersBytes } from '../route.ts';

export function problemRoutes(app: App): void {
  app.get(
    '/problems',
    {
      schema: {
        tags: ['problems'],
        summary: 'All problem types, as a page',
        response: answersBytes(['text/html'], 'The page.'),
      },
    },
    async (_, reply) => reply.type('text/html; charset=utf-8').send(problemsPage()),
  );

  app.get(
    '/problems/:code',
    {
      schema: {
        tags: ['problems'],
        summary: 'What a problem type means, as a page',
        params: Type.Object({ code: Type.String({ maxLength: 64 }) }),
        response: answersBytes(['text/html'], 'The page.'),
      },
    },
    async (request, reply) => {
      const { code } = request.params;
      if (!Object.hasOwn(problemTable, code)) {
        throw new Problem('not-found', 'There is no such problem type.', 'See /problems.');
      }
      return reply.type('text/html; charset=utf-8').send(problemTypePage(code as ProblemCode));
    },
  );
}
