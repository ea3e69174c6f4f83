// For machines that watch: is the process up, can it work, and its figures (Prometheus text).
import { checkDatabase } from '@retraind/prisma/client';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { Type } from 'typebox';
import type { Farm } from '../farm.ts';
import { type App, answers, answersBytes } from '../route.ts';

const Health = Type.Object({ status: Type.Literal('ok') });

export function healthRoutes(app: App, { db }: Farm): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'retraind_api_' });
  const seconds = new Histogram({
    name: 'retraind_api_request_seconds',
    help: 'Time to answer by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    // The route's pattern, never the address: an address is chosen by whoever asks.
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1_000);
  });

  app.get(
    '/healthz',
    {
      logLevel: 'warn',
      schema: { tags: ['health'], summary: 'The process is up', response: answers(Health, 'It is.') },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      logLevel: 'warn',
      schema: { tags: ['health'], summary: 'The database answers', response: answers(Health, 'It does.') },
    },
    async () => {
      await checkDatabase(db);
      return { status: 'ok' as const };
    },
  );

  app.get(
    '/metrics',
    {
      logLevel: 'warn',
      schema: {
        tags: ['health'],
        summary: 'Figures of this process for Prometheus',
        response: answersBytes(['text/plain'], 'Prometheus text.'),
      },
    },
    async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  );
}
