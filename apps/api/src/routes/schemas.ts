// The schemas that our documents name, each under an address of its own for ever.
import { printVerdictSchema, verdictSchemaPath } from '@retraind/shared/wire/verdict-schema';
import { Type } from 'typebox';
import { type App, answersBytes } from '../route.ts';

export function schemaRoutes(app: App): void {
  const text = printVerdictSchema();
  app.get(
    verdictSchemaPath,
    {
      schema: {
        tags: ['jobs'],
        summary: 'The JSON Schema (2020-12) that every verdict follows; statements name it',
        params: Type.Object({}),
        response: answersBytes(['application/schema+json'], 'The schema.'),
      },
    },
    async (_, reply) => reply.type('application/schema+json; charset=utf-8').send(text),
  );
}
