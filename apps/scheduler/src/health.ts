// A small HTTP face for operators: /healthz (the process lives), /readyz (database and queue answer), /metrics.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '@retraind/host/config';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  listen: ListenAddress;
  registry: Registry;
  /** Named probes; each rejects when its part does not answer. */
  probes: Record<string, () => Promise<unknown>>;
}

/** Resolves with the address once it listens. */
export async function serveHealth(
  options: HealthOptions,
): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': type }).end(body);
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(200, 'alive\n');
      case '/readyz':
        return void ready(options.probes).then((faults) =>
          answer(faults.length === 0 ? 200 : 503, faults.length === 0 ? 'ready\n' : `${faults.join('\n')}\n`),
        );
      case '/metrics':
        return void options.registry
          .metrics()
          .then((text) => answer(200, text, options.registry.contentType));
      default:
        return answer(404, 'not found\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () => closeServer(server),
  };
}

async function ready(probes: HealthOptions['probes']): Promise<string[]> {
  const results = await Promise.allSettled(Object.values(probes).map((probe) => probe()));
  return Object.keys(probes).flatMap((name, i) => {
    const result = results[i]!;
    return result.status === 'fulfilled' ? [] : [`${name}: ${(result.reason as Error).message}`];
  });
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
