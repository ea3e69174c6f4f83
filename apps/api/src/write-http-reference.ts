// Writes docs/reference/http.md. The app is only described, never started: it needs no database.

import { fileURLToPath } from 'node:url';
import { ArtifactStore } from '@retraind/host/artifacts';
import { replaceFile } from '@retraind/host/replace-file';
import { openDatabase } from '@retraind/prisma/client';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import { buildApp } from './app.ts';
import { httpReference, type OpenApiDocument } from './http-reference.ts';
import { LiveFiles } from './live-files.ts';
import { openApiDocument } from './openapi.ts';
import { EventStreams } from './sse.ts';

const db = openDatabase('postgresql://nobody@127.0.0.1:1/none');
const app = await buildApp({
  db,
  artifacts: new ArtifactStore('/nonexistent'),
  live: new LiveFiles('/nonexistent'),
  streams: new EventStreams(),
  leaseSeconds: 20,
  heartbeatSeconds: 5,
  gramsPerKwh: null,
  memory: new WorldMemory(defaultPolicy, nodeSilenceSeconds),
  graceSeconds: 30,
});
await app.ready();
const path = fileURLToPath(new URL('../../../docs/reference/http.md', import.meta.url));
await replaceFile(path, httpReference(openApiDocument(app) as unknown as OpenApiDocument));
await app.close();
await db.$disconnect();
