// The description of this API for programs.
import { Type } from 'typebox';
import { openApiDocument } from '../openapi.ts';
import { type App, answers } from '../route.ts';

export function openApiRoute(app: App): void {
  let document: string | undefined;
  app.get(
    '/openapi.json',
    {
      schema: {
        tags: ['health'],
        summary: 'This document (OpenAPI 3.1)',
        response: answers(Type.Unknown(), 'The document.'),
      },
    },
    async (_, reply) => {
      document ??= JSON.stringify(openApiDocument(app));
      return reply.type('application/json; charset=utf-8').send(document);
    },
  );
}
