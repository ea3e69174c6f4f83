// The api as a process: configuration, database, server; SIGTERM and SIGINT close it in order.

import { ArtifactStore } from '@retraind/host/artifacts';
import { loadConfig } from '@retraind/host/config';
import { checkDatabase, openDatabase } from '@retraind/prisma/client';
import * as ledger from '@retraind/prisma/store/ledger';
import * as tokens from '@retraind/prisma/store/tokens';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { seedEntries } from '@retraind/shared/ledger/seed';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import { Problem } from '@retraind/shared/wire/problems';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { options } from './config.ts';
import { LiveFiles } from './live-files.ts';
import { EventStreams } from './sse.ts';

const config = loadConfig('api', options);
const log = pino({ name: 'api', level: config.logLevel });

const db = openDatabase(config.databaseUrl!, (error) => log.warn({ err: error }, 'database connection lost'));
const app = await buildApp(
  {
    db,
    artifacts: new ArtifactStore(config.artifacts),
    live: new LiveFiles(config.artifacts),
    streams: new EventStreams(),
    leaseSeconds: config.leaseSeconds,
    heartbeatSeconds: config.heartbeatSeconds,
    gramsPerKwh: config.gramsPerKwh || null,
    memory: new WorldMemory(config.policy ?? defaultPolicy, nodeSilenceSeconds),
    graceSeconds: config.graceSeconds,
  },
  log,
);

closeWithGrace({ delay: 10_000, logger: false }, async ({ err, signal }) => {
  if (err) log.fatal({ err }, 'stopped by a fault');
  else log.info({ signal }, 'stopping');
  await app.close();
  await db.$disconnect();
});

try {
  await checkDatabase(db);
  if (config.adminToken) await tokens.put(db, config.adminToken, { name: 'admin', role: 'admin' });
  await ledger.seed(db, seedEntries);
  const address = await listen();
  log.info({ address }, 'listening');
} catch (error) {
  const problem = error instanceof Problem ? error : null;
  log.fatal({ err: error, code: problem?.code, hint: problem?.hint }, problem?.detail ?? 'could not start');
  await app.close();
  await db.$disconnect();
  process.exit(problem?.exitCode ?? 1);
}

async function listen(): Promise<string> {
  const { host, port } = config.listen;
  try {
    return await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Problem(
        'port-in-use',
        `Another program listens on ${host}:${port}.`,
        'Stop it, or give this one another address: RETRAIND_LISTEN=127.0.0.1:0 takes any free port.',
      );
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new Problem(
        'invalid-config',
        `${host}:${port} cannot be listened on (${code}).`,
        'Change RETRAIND_LISTEN.',
      );
    }
    throw error;
  }
}
