// Server-sent events (WHATWG HTML §9.2): each event with an id, so that a browser that reconnects goes on where it was.
import { Problem } from '@retraind/shared/wire/problems';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Comment lines keep proxies from closing a quiet stream. */
const keepAliveMilliseconds = 15_000;
/** Readers at once; each holds a socket and an open file. */
const mostStreams = 256;

export interface EventStream {
  /** Sends one event; waits while the reader is slow. `data` goes as JSON, which has no line breaks. */
  send(event: string, id: string, data: unknown): Promise<void>;
  /** Aborts when the reader is gone or the server closes. */
  signal: AbortSignal;
  end(): void;
}

export class EventStreams {
  readonly #open = new Set<AbortController>();

  /** Turns a reply into an event stream. The caller sends until `signal` aborts, then ends. */
  open(request: FastifyRequest, reply: FastifyReply): EventStream {
    if (this.#open.size >= mostStreams) {
      throw new Problem(
        'busy',
        `${mostStreams} readers follow logs already.`,
        'Read the log without follow.',
      );
    }
    const gone = new AbortController();
    this.#open.add(gone);
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': request.id,
    });
    response.write('retry: 2000\n\n');
    const beat = setInterval(() => response.write(': still here\n\n'), keepAliveMilliseconds);
    const stop = () => {
      clearInterval(beat);
      this.#open.delete(gone);
      gone.abort();
    };
    response.once('close', stop);
    return {
      signal: gone.signal,
      async send(event, id, data) {
        if (gone.signal.aborted) return;
        const flowing = response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
        if (flowing) return;
        await new Promise<void>((resolve) => {
          response.once('drain', resolve);
          gone.signal.addEventListener('abort', () => resolve(), { once: true });
        });
      },
      end() {
        stop();
        response.end();
      },
    };
  }

  /** Ends every stream: an open one would keep the server from closing. */
  endAll(): void {
    for (const stream of [...this.#open]) stream.abort();
  }
}
