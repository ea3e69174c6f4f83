// Log and metrics lines of a run: whole, a range, the last lines, or as they grow (SSE).
import { createReadStream } from 'node:fs';
import { Type } from 'typebox';
import { byteRange } from '../byte-range.ts';
import { tagMatches } from '../etag.ts';
import type { Farm } from '../farm.ts';
import type { LiveKind } from '../live-files.ts';
import { type App, answersBytes } from '../route.ts';
import { type RunFile, readTail, readText, runFile } from '../run-files.ts';
import type { EventStream } from '../sse.ts';
import { queryOf } from '../validator.ts';
import { RunPath, requireRun } from './runs.ts';

const FileQuery = queryOf({
  leaseEpoch: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Of this lease; the last one unless said.' }),
  ),
  tail: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Only the last lines.' })),
  follow: Type.Optional(
    Type.Boolean({ description: 'Go on as an event stream: events `log` or `metrics`, then `end`.' }),
  ),
  from: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,9}:[0-9]{1,15}$',
      description: 'Where to go on with follow: the id of the last event, `leaseEpoch:offset`.',
    }),
  ),
});

const mostTailBytes = 4 * 2 ** 20;
const eventBytes = 65_536;
/** How long to wait for a change that another API process may have written. */
const lookAgainMilliseconds = 1_000;

export function runFileRoutes(app: App, farm: Farm): void {
  for (const kind of ['log', 'metrics'] as const) {
    app.get(
      `/api/v1/runs/:runId/${kind}`,
      {
        schema: {
          tags: ['runs'],
          summary:
            kind === 'log'
              ? 'The log of a run: whole, a byte range, the last lines, or as it grows'
              : 'The metrics lines of a run (JSON, one object a line)',
          params: RunPath,
          querystring: FileQuery,
          response: answersBytes(['text/plain', 'text/event-stream'], 'The text; 206 for a range.'),
        },
      },
      async (request, reply) => {
        const { leaseEpoch, tail, follow, from } = request.query;
        const run = await requireRun(farm.db, request.params.runId);
        if (follow) {
          const stream = farm.streams.open(request, reply);
          const resume = String(request.headers['last-event-id'] ?? from ?? '');
          followFile(farm, kind, run.runId, stream, resume)
            .catch((error: unknown) => request.log.error({ err: error }, 'following failed'))
            .finally(() => stream.end());
          return reply;
        }
        const file = await runFile(farm, run, kind, leaseEpoch);
        reply.type('text/plain; charset=utf-8').header('lease-epoch', file.leaseEpoch);
        if (file.bytes === 0) return reply.header('cache-control', 'no-store').send('');
        if (tail !== undefined) {
          const { text } = await readTail(file, tail, mostTailBytes);
          return reply.header('cache-control', 'no-store').send(text);
        }
        if (file.sha256 === null) reply.header('cache-control', 'no-store');
        else {
          const tag = `"${file.sha256}"`;
          reply.header('etag', tag).header('cache-control', 'no-cache');
          if (tagMatches(request.headers['if-none-match'], tag)) return reply.code(304).send(undefined);
        }
        reply.header('accept-ranges', 'bytes');
        const range = byteRange(request.headers.range, file.bytes);
        if (range === 'unsatisfiable') {
          return reply.code(416).header('content-range', `bytes */${file.bytes}`).send('');
        }
        // A growing file is sent as far as it was when it was looked at.
        const { start, end } = range ?? { start: 0, end: file.bytes - 1 };
        if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.bytes}`);
        return reply
          .header('content-length', end - start + 1)
          .send(createReadStream(file.path, { start, end }));
      },
    );
  }
}

/** Sends what a file has from `resume` on, then what comes, until its lease has ended and all is told. */
async function followFile(farm: Farm, kind: LiveKind, runId: string, stream: EventStream, resume: string) {
  const [epochText, offsetText] = resume.match(/^(\d{1,9}):(\d{1,15})$/)?.slice(1) ?? ['0', '0'];
  let leaseEpoch = Number(epochText);
  let offset = Number(offsetText);
  while (!stream.signal.aborted) {
    const run = await requireRun(farm.db, runId);
    const file: RunFile = await runFile(farm, run, kind);
    if (file.leaseEpoch !== leaseEpoch) {
      // A new lease begins a new file.
      leaseEpoch = file.leaseEpoch;
      offset = 0;
    }
    offset += await sendRest(file, offset, kind, stream);
    const isOver = !file.isOpen && run.state !== 'waiting' && run.state !== 'leased';
    if (isOver && offset >= file.bytes) {
      await stream.send('end', `${leaseEpoch}:${offset}`, { state: run.state });
      return;
    }
    const now = leaseEpoch === 0 ? null : await farm.live.size({ runId, leaseEpoch }, kind);
    if (now !== null && now > offset) continue;
    await farm.live.change({ runId, leaseEpoch }, kind, lookAgainMilliseconds, stream.signal);
  }
}

async function sendRest(file: RunFile, from: number, kind: LiveKind, stream: EventStream): Promise<number> {
  let sent = 0;
  while (from + sent < file.bytes && !stream.signal.aborted) {
    const { text, bytes } = await readText(
      file.path,
      from + sent,
      Math.min(eventBytes, file.bytes - from - sent),
    );
    if (bytes === 0) break;
    sent += bytes;
    await stream.send(kind, `${file.leaseEpoch}:${from + sent}`, { text });
  }
  return sent;
}
