// Every error as problem+json (RFC 9457), or as a page where a browser asked for a page. A Problem is told as it is; what
// the framework refuses becomes one; anything else is a bug: whole in the log, "internal error" and the request's id outside.

import { isAway } from '@retraind/prisma/faults';
import { Problem } from '@retraind/shared/wire/problems';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemPage } from './pages/problem.tsx';
import { InvalidRequest } from './validator.ts';

export function handleProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error as FastifyError);
    if (problem.code === 'internal') request.log.error({ err: error }, 'internal error');
    else if (problem.status >= 500) request.log.warn({ err: error, code: problem.code }, 'request failed');
    else if (request.headers.authorization !== undefined) {
      // Who claims to be somebody and is refused is worth a line: a node's clock, a stolen token, a worker that woke late.
      const { code, detail } = problem;
      const { method, url, ip, nodeId, actor } = request;
      request.log.warn({ code, detail, method, url, ip, nodeId, actor }, 'refused');
    }
    return sendProblem(request, reply, problem, faultsOf(error));
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      request,
      reply,
      new Problem(
        'not-found',
        `There is no ${request.method} ${request.url.split('?')[0]} here.`,
        'The addresses of this farm are listed in /openapi.json.',
      ),
    ),
  );
}

function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
  faults?: InvalidRequest['faults'],
) {
  if (problem.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="retraind"');
  if (problem.status === 503) reply.header('retry-after', '2');
  reply.code(problem.status).header('cache-control', 'no-store');
  if (wantsPage(request)) {
    return reply.type('text/html; charset=utf-8').send(problemPage(problem, request.id));
  }
  const body = { ...problem.toJSON(), requestId: request.id, ...(faults && { faults }) };
  return reply.type('application/problem+json; charset=utf-8').send(JSON.stringify(body));
}

/** A browser, on an address that is a page. */
const wantsPage = (request: FastifyRequest): boolean =>
  !request.url.startsWith('/api/') && (request.headers.accept ?? '').includes('text/html');

const faultsOf = (error: unknown) => (error instanceof InvalidRequest ? error.faults : undefined);

/** What is told of an error. */
export function problemOf(error: FastifyError): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidRequest) {
    const told = error.faults.map(({ field, message }) => `\`${field}\` ${message}`).join('; ');
    return new Problem('invalid-request', `${told}.`, 'The schema of each request is in /openapi.json.');
  }
  if (isAway(error)) {
    return new Problem(
      'database-unavailable',
      'The database does not answer.',
      'Ask again in a moment; `/readyz` says when it is back.',
      { cause: error },
    );
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('too-large', 'The body of the request is larger than this address takes.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem(
        'invalid-request',
        'The body is of a kind that is not taken here.',
        'Send `Content-Type: application/json`.',
      );
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new Problem('invalid-request', 'The body says that it is JSON and is empty.');
  }
  if (error instanceof SyntaxError || (error.statusCode ?? 500) < 500) {
    return new Problem('invalid-request', `The request cannot be read: ${error.message}`);
  }
  return new Problem('internal', 'This is a fault of the farm, not of the request.');
}
