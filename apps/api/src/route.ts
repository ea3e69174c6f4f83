// What all routes share: the app's type with its schemas, and how answers are described.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { ProblemBody } from '@retraind/shared/wire/resources';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import { type TSchema, Type } from 'typebox';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

const problem = {
  description: 'An error, told as RFC 9457 says.',
  content: { 'application/problem+json': { schema: ProblemBody } },
};

/** Answers of a JSON route: its resource, else a problem. */
export const answers = <T extends TSchema>(resource: T, description: string) => ({
  200: { description, content: { 'application/json': { schema: resource } } },
  '4xx': problem,
  '5xx': problem,
});

/** As `answers`, where a new thing may have been made. */
export const answersCreated = <T extends TSchema>(resource: T, description: string) => ({
  ...answers(resource, description),
  201: { description: 'Made anew.', content: { 'application/json': { schema: resource } } },
});

/** Nothing is said back. */
export const answersNothing = (description: string) => ({
  204: Type.Unsafe<undefined>({ description, type: 'null' }),
  '4xx': problem,
  '5xx': problem,
});

const Bytes = Type.Unsafe<string | Readable | Buffer | undefined>({ type: 'string' });

/** Bytes or text of other kinds. */
export const answersBytes = (types: readonly string[], description: string) => ({
  200: {
    description,
    content: Object.fromEntries(types.map((type) => [type, { schema: Bytes }])),
  },
  '4xx': problem,
  '5xx': problem,
});

export const bearer = [{ bearer: [] }];
export const nodeKey = [{ node: [] }];
