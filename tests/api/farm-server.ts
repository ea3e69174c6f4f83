// A real API on a real database and a folder of its own, for one test file.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { buildApp } from '@retraind/api/app';
import type { Farm } from '@retraind/api/farm';
import { LiveFiles } from '@retraind/api/live-files';
import type { App } from '@retraind/api/route';
import { EventStreams } from '@retraind/api/sse';
import { ArtifactStore } from '@retraind/host/artifacts';
import type { Database } from '@retraind/prisma/client';
import * as runs from '@retraind/prisma/store/runs';
import * as tokens from '@retraind/prisma/store/tokens';
import { WorldMemory } from '@retraind/prisma/store/world-memory';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { defaultPolicy, nodeSilenceSeconds } from '@retraind/shared/policy/world';
import { httpFarmClient } from '@retraind/worker/http-farm-client';
import { loadNodeKey, type NodeKey } from '@retraind/worker/node-key';
import { withDatabase } from '../support/database.ts';
import { makeJob } from '../support/scenario.ts';

export const adminToken = 'token-of-the-admin';
export const porterToken = 'token-of-a-porter';

export interface Told<T> {
  status: number;
  headers: Headers;
  body: T;
}

export interface FarmServer {
  address: string;
  app: App;
  farm: Farm;
  db: Database;
  folder: string;
  /** A request as a stranger; give a token to be somebody. */
  ask<T = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { json?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<Told<T>>;
  /** A node with a key of its own, enrolled over HTTP. */
  enrol(name?: string): Promise<NodeKey>;
  /** A fresh job whose first run is leased to the node. */
  lease(key: NodeKey): Promise<{ jobId: string; runId: string; leaseEpoch: number }>;
  client(key: NodeKey, lease: { runId: string; leaseEpoch: number }): ReturnType<typeof httpFarmClient>;
}

/** Starts it at the head of a test file; it stops after the file's last test. */
export async function startFarm(): Promise<FarmServer> {
  const { db } = await withDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'retraind-api-'));
  await tokens.put(db, adminToken, { name: 'ada', role: 'admin' });
  await tokens.put(db, porterToken, { name: 'pia', role: 'porter', suites: ['*'] });
  const farm: Farm = {
    db,
    artifacts: new ArtifactStore(folder),
    live: new LiveFiles(folder),
    streams: new EventStreams(),
    leaseSeconds: 20,
    heartbeatSeconds: 5,
    gramsPerKwh: null,
    memory: new WorldMemory(defaultPolicy, nodeSilenceSeconds),
    graceSeconds: 30,
  };
  const app = await buildApp(farm);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  after(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  const server: FarmServer = {
    address,
    app,
    farm,
    db,
    folder,
    async ask<T>(method: string, path: string, options: Parameters<FarmServer['ask']>[2] = {}) {
      const { json, token, headers } = options;
      const response = await fetch(address + path, {
        method,
        headers: {
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: json === undefined ? undefined : JSON.stringify(json),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
      return {
        status: response.status,
        headers: response.headers,
        body: (isJson ? JSON.parse(text) : text) as T,
      };
    },
    async enrol(name = 'gpu-1') {
      const key = loadNodeKey(join(folder, `${name}.pem`));
      const { status, body } = await server.ask('POST', '/api/v1/nodes', {
        token: adminToken,
        json: {
          publicKey: key.publicKeyPem,
          name,
          class: 'amd64',
          slots: 4,
        },
      });
      if (status !== 201) throw new Error(`enrolment was answered ${status}: ${JSON.stringify(body)}`);
      return key;
    },
    async lease({ nodeId }) {
      const { jobId } = await makeJob(db);
      const [runId] = await runs.add(db, jobId, retrainPlaces(1));
      for (let slot = 0; slot < 4; slot++) {
        const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId, slot, leaseSeconds: 60 });
        if (leaseEpoch !== null) return { jobId, runId: runId!, leaseEpoch };
      }
      throw new Error('no slot is free');
    },
    client: (key, lease) => httpFarmClient({ api: address, key, ...lease, patienceSeconds: 5 }),
  };
  return server;
}
