// ETag and 304 for what is answered as text: weak, over the text itself. It saves the line, not the work.
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export function answerUnchanged(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return payload;
    if (reply.hasHeader('etag')) return payload;
    const tag = `W/"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`;
    reply.header('etag', tag);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache');
    if (!tagMatches(request.headers['if-none-match'], tag)) return payload;
    reply.code(304);
    return '';
  });
}

/** Whether an If-None-Match header names this tag, weakly compared (RFC 9110 §13.1.2). */
export const tagMatches = (header: string | undefined, tag: string): boolean =>
  (header ?? '')
    .split(',')
    .map((part) => part.trim())
    .some((part) => part === '*' || part.replace(/^W\//, '') === tag.replace(/^W\//, ''));
