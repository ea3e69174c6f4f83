// Fencing switched off, for tests that must see what it forbids: whoever writes in the name of a lease that has ended finds it
// open again. Done to the test's own database, and by a proxy between workers and api; the farm itself cannot be told to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Database } from '@retraind/prisma/client';

/** The last line of defence: what the database itself refuses. */
const guards = [
  'DROP TRIGGER "run_reported_is_final" ON "run"',
  'DROP TRIGGER "lease_ended_is_final" ON "lease"',
  'DROP INDEX "lease_one_open_per_run"',
  'DROP INDEX "lease_one_open_per_slot"',
  'DROP INDEX "lease_one_result_per_run"',
  'ALTER TABLE "run_output" DROP CONSTRAINT "run_output_pkey"',
  'ALTER TABLE "reference" DROP CONSTRAINT "reference_pkey"',
];

export interface Unfenced {
  /** Where workers reach the api. */
  address: string;
  close(): Promise<void>;
}

export async function unfence(db: Database, api: string): Promise<Unfenced> {
  for (const guard of guards) await db.$executeRawUnsafe(guard);
  /** Opening a lease and the write that wants it open are one deed: two leases of a run take turns. */
  const turns = new Map<string, Promise<unknown>>();
  const server = createServer((request, response) => {
    void pass(request, response).catch(() => response.destroy());
  });

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    // The log of a lost lease was sealed and put away; what is said after that is of no account here.
    if (/\/(log|metrics)$/.test(request.url!)) return void response.writeHead(204).end();
    const lease = leaseOf(new URL(request.url!, api), body);
    const go = async () => {
      if (lease !== null) await reopen(db, lease);
      await forward(api, request, body, response);
    };
    if (lease === null) return go();
    const turn = (turns.get(lease.runId) ?? Promise.resolve()).then(go, go);
    turns.set(lease.runId, turn);
    await turn;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface LeaseName {
  runId: string;
  leaseEpoch: number;
}

function leaseOf({ pathname, searchParams }: URL, body: Buffer): LeaseName | null {
  const runId = pathname.match(/^\/api\/v1\/runs\/([0-9a-z]+)\//)?.[1] ?? searchParams.get('runId');
  const told =
    searchParams.get('leaseEpoch') ??
    body
      .subarray(0, 200)
      .toString('latin1')
      .match(/"leaseEpoch":(\d+)/)?.[1];
  return runId && told ? { runId, leaseEpoch: Number(told) } : null;
}

async function reopen(db: Database, { runId, leaseEpoch }: LeaseName): Promise<void> {
  await db.$transaction(async (tx) => {
    const [ended] = await tx.$queryRaw<{ nodeId: string; slot: number }[]>`
      UPDATE lease SET ended_at = NULL, outcome = NULL, blame = NULL, code = NULL, detail = NULL
      WHERE run_id = ${runId} AND lease_epoch = ${leaseEpoch}::int AND outcome IS DISTINCT FROM 'reported'
      RETURNING node_id AS "nodeId", slot`;
    if (!ended) return;
    await tx.$executeRaw`
      UPDATE run SET state = 'leased', lease_epoch = ${leaseEpoch}::int, node_id = ${ended.nodeId}, slot = ${ended.slot}::int,
        step = NULL, heartbeat_at = now(), expires_at = now() + interval '20 s', ended_at = NULL, seed = NULL, engine = NULL,
        retraininfo_sha256 = NULL, provenance_sha256 = NULL, train_seconds = NULL, withheld = NULL
      WHERE run_id = ${runId} AND NOT (state = 'leased' AND lease_epoch = ${leaseEpoch}::int)`;
  });
}

async function forward(
  api: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { authorization, 'content-type': type } = request.headers;
  const method = request.method!;
  const answer = await fetch(new URL(request.url!, api), {
    method,
    headers: { ...(authorization && { authorization }), ...(type && { 'content-type': type }) },
    body: method === 'GET' || method === 'HEAD' ? undefined : new Uint8Array(body),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const told = answer.headers.get('content-type');
  response.writeHead(answer.status, told ? { 'content-type': told } : {}).end(bytes);
}
