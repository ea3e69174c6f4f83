// Kept files by digest. What lies behind a digest never changes, so it may be kept for ever; what it is, nobody here knows,
// so it is only ever handed out as bytes to save.

import type { Readable } from 'node:stream';
import * as runs from '@retraind/prisma/store/runs';
import { Sha256 } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { Artifact } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { byteRange } from '../byte-range.ts';
import { tagMatches } from '../etag.ts';
import type { Farm } from '../farm.ts';
import { type App, answersBytes, answersCreated, nodeKey } from '../route.ts';
import { queryOf } from '../validator.ts';
import { artifactHref } from '../views/run.ts';

/** Largest file that a node may send. */
const mostArtifactBytes = 16 * 2 ** 30;

const ArtifactPath = Type.Object({ sha256: Sha256 });

export function artifactRoutes(app: App, { artifacts }: Farm): void {
  app.get(
    '/api/v1/artifacts/:sha256',
    {
      exposeHeadRoute: true,
      schema: {
        tags: ['artifacts'],
        summary: 'The bytes of a kept file: weights, predictions, logs, records, overlays',
        params: ArtifactPath,
        response: answersBytes(['application/octet-stream'], 'The bytes; 206 for a range.'),
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params;
      const bytes = await artifacts.sizeOf(sha256);
      if (bytes === null) {
        throw new Problem('not-found', `The farm keeps no file with the digest ${sha256}.`);
      }
      const tag = `"${sha256}"`;
      reply
        .type('application/octet-stream')
        .header('etag', tag)
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('accept-ranges', 'bytes')
        .header('content-disposition', `attachment; filename="${sha256}"`)
        .header('repr-digest', `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`);
      if (tagMatches(request.headers['if-none-match'], tag)) return reply.code(304).send(undefined);
      const asked = request.headers['if-range'];
      const range = asked === undefined || asked === tag ? byteRange(request.headers.range, bytes) : null;
      if (range === 'unsatisfiable') {
        return reply.code(416).header('content-range', `bytes */${bytes}`).send('');
      }
      if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${bytes}`);
      reply.header('content-length', range ? range.end - range.start + 1 : bytes);
      if (request.method === 'HEAD') {
        // Fastify counts a text (0 bytes) and reads a file to its end; a web stream it cancels, and our length stands.
        return reply.send(new ReadableStream() as unknown as Readable);
      }
      return reply.send(await artifacts.read(sha256, range ?? {}));
    },
  );
}

/** The node's side: a scope in which every request is signed. */
export function artifactNodeRoutes(scope: App, { db, artifacts }: Farm): void {
  // The token binds the digest in the path, and the store holds the bytes against it while they come.
  scope.addContentTypeParser('application/octet-stream', (request, payload, done) => {
    request.bodySha256 = (request.params as { sha256?: string }).sha256 ?? request.bodySha256;
    done(null, payload);
  });

  scope.put(
    '/api/v1/artifacts/:sha256',
    {
      schema: {
        tags: ['nodes'],
        summary: 'Keep a file of a leased run; streamed, refused where the bytes have another digest',
        security: nodeKey,
        params: ArtifactPath,
        querystring: queryOf({
          runId: Type.String({ pattern: '^[0-9a-z]{1,32}$' }),
          leaseEpoch: Type.Integer({ minimum: 1 }),
        }),
        response: answersCreated(Artifact, 'The farm had it.'),
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params;
      const { runId, leaseEpoch } = request.query;
      await runs.requireHolder(db, { runId, leaseEpoch, nodeId: request.nodeId });
      const had = await artifacts.sizeOf(sha256);
      const body = request.body as Readable | undefined;
      if (had !== null) {
        body?.resume();
        return { sha256, bytes: had, href: artifactHref(sha256) };
      }
      if (body === undefined || typeof body.pipe !== 'function') {
        throw new Problem('invalid-request', 'The request has no bytes of kind application/octet-stream.');
      }
      const kept = await artifacts.put(body, { expectedSha256: sha256, maxBytes: mostArtifactBytes });
      reply.code(201).header('location', artifactHref(sha256));
      return { ...kept, href: artifactHref(sha256) };
    },
  );
}
