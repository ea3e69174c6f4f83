// What any queue backend must do for the farm. The same suite runs over BullMQ on PostgreSQL and on Redis.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ring, ringId, slotQueue } from '@retraind/shared/wire/doorbell';
import { Problem } from '@retraind/shared/wire/problems';
import { createPostgresBackend, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type Bell, openBell } from '../../apps/scheduler/src/queue/bell.ts';
import { type Answering, type AnswerOptions, answerRings } from '../../apps/worker/src/queue/answer.ts';
import { withDatabase } from '../support/database.ts';
import { provideRedis, withRedis } from '../support/redis.ts';

interface Backend {
  /** What the worker connects to. */
  where: AnswerOptions['where'];
  bell: Bell;
  /** Loses everything that the queue holds. */
  forget(): Promise<void>;
  /** Cuts every connection of other programs. */
  cut(): Promise<void>;
  /** Resolves with the id of the next ring that the queue counts as failed. */
  failure(queue: string): Promise<{ failed: Promise<string>; close(): Promise<void> }>;
  close(): Promise<void>;
}

const ignore = () => undefined;

async function postgres(databaseUrl: string): Promise<Backend> {
  const bell = await openBell({ redisUrl: null, databaseUrl }, ignore);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    where: { queueUrl: databaseUrl },
    bell,
    async forget() {
      const { rows } = await client.query<{ name: string }>(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' AND tablename <> 'migration'",
      );
      await client.query(`TRUNCATE ${rows.map(({ name }) => `bullmq.${name}`).join(', ')} CASCADE`);
    },
    async cut() {
      await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
    },
    failure: (queue) =>
      nextFailure(
        new QueueEvents(
          queue,
          { connection: { connectionString: databaseUrl, schema: 'bullmq', max: 2 } },
          createPostgresBackend,
        ),
      ),
    async close() {
      await bell.close();
      await client.end();
    },
  };
}

async function redis(redisUrl: string): Promise<Backend> {
  const bell = await openBell({ redisUrl, databaseUrl: 'postgresql://not-used' }, ignore);
  const client = new Redis(redisUrl, { maxRetriesPerRequest: null });
  return {
    where: { redisUrl },
    bell,
    async forget() {
      await client.flushall();
    },
    async cut() {
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    failure: (queue) => {
      const { host, port, password } = client.options;
      return nextFailure(new QueueEvents(queue, { connection: { host, port, password } }));
    },
    async close() {
      await bell.close();
      client.disconnect();
    },
  };
}

/** As much of BullMQ's QueueEvents as is used here, the same for every backend. */
interface Events {
  on(event: 'error', listener: () => void): unknown;
  once(event: 'failed', listener: (failure: { jobId: string }) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

async function nextFailure(events: Events): Promise<{ failed: Promise<string>; close(): Promise<void> }> {
  events.on('error', ignore);
  const failed = new Promise<string>((resolve) => {
    events.once('failed', ({ jobId }) => resolve(jobId));
  });
  await events.waitUntilReady();
  return { failed, close: () => events.close() };
}

/** A slot that notes what it is rung for. */
interface Slot extends Answering {
  rings: Ring[];
  troubles: Error[];
  /** Resolves when `count` rings have come in all. */
  got(count: number): Promise<Ring[]>;
}

async function openSlot(
  where: AnswerOptions['where'],
  nodeId: string,
  slot: number,
  answer: (ring: Ring) => Promise<void> = async () => undefined,
  lockMilliseconds?: number,
): Promise<Slot> {
  const rings: Ring[] = [];
  const troubles: Error[] = [];
  const waiting: { count: number; resolve: (rings: Ring[]) => void }[] = [];
  const tell = () => {
    for (const { count, resolve } of waiting) if (rings.length >= count) resolve(rings);
  };
  const answering = await answerRings({
    where,
    nodeId,
    slot,
    lockMilliseconds,
    onTrouble: (error) => troubles.push(error),
    onRing: async (ring) => {
      rings.push(ring);
      tell();
      await answer(ring);
    },
    signal: AbortSignal.timeout(20_000),
  });
  const got = (count: number): Promise<Ring[]> =>
    new Promise((resolve) => {
      waiting.push({ count, resolve });
      tell();
    });
  return { rings, troubles, got, close: () => answering.close() };
}

function conformance(open: () => Promise<Backend>): void {
  let backend: Backend;
  let nodes = 0;
  /** A node id of its own for each test: queues are never shared. */
  const newNode = (): string => (0xabc0_0000 + ++nodes).toString(16).padStart(16, '0');

  before(async () => {
    backend = await open();
  });
  after(() => backend.close());

  test('a ring is received once, before or after the worker listens', async () => {
    const nodeId = newNode();
    await backend.bell.ring(nodeId, 0, { runId: 'early', leaseEpoch: 1 });
    const slot = await openSlot(backend.where, nodeId, 0);
    await slot.got(1);
    await backend.bell.ring(nodeId, 0, { runId: 'late', leaseEpoch: 7 });
    await slot.got(2);
    await slot.close();
    assert.deepEqual(slot.rings, [
      { runId: 'early', leaseEpoch: 1 },
      { runId: 'late', leaseEpoch: 7 },
    ]);
    assert.deepEqual(slot.troubles, []);
  });

  test('ringing again for the same lease is received once while it waits or is answered', async () => {
    const nodeId = newNode();
    const ring = { runId: 'twice', leaseEpoch: 1 };
    await backend.bell.ring(nodeId, 0, ring);
    await backend.bell.ring(nodeId, 0, ring);
    let release: () => void = ignore;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slot = await openSlot(backend.where, nodeId, 0, ({ runId }) => (runId === 'twice' ? held : held));
    await slot.got(1);
    await backend.bell.ring(nodeId, 0, ring);
    await backend.bell.ring(nodeId, 0, { runId: 'after', leaseEpoch: 1 });
    release();
    await slot.got(2);
    await slot.close();
    assert.deepEqual(
      slot.rings.map(({ runId }) => runId),
      ['twice', 'after'],
    );
  });

  test('the next lease of a run rings although the last one was answered', async () => {
    const nodeId = newNode();
    const slot = await openSlot(backend.where, nodeId, 0);
    await backend.bell.ring(nodeId, 0, { runId: 'back', leaseEpoch: 1 });
    await slot.got(1);
    await backend.bell.ring(nodeId, 0, { runId: 'back', leaseEpoch: 2 });
    await slot.got(2);
    await slot.close();
    assert.deepEqual(
      slot.rings.map(({ leaseEpoch }) => leaseEpoch),
      [1, 2],
    );
  });

  test('a queue that lost everything is rung again', async () => {
    const nodeId = newNode();
    const ring = { runId: 'lost', leaseEpoch: 3 };
    await backend.bell.ring(nodeId, 0, ring);
    await backend.forget();
    const slot = await openSlot(backend.where, nodeId, 0);
    await backend.bell.ring(nodeId, 0, ring);
    await slot.got(1);
    await slot.close();
    assert.deepEqual(slot.rings, [ring]);
  });

  test('a queue that is lost while a ring is answered harms neither it nor the next', async () => {
    const nodeId = newNode();
    let forgotten: () => void = ignore;
    const loss = new Promise<void>((resolve) => {
      forgotten = resolve;
    });
    const slot = await openSlot(backend.where, nodeId, 0, async ({ runId }) => {
      if (runId === 'first') await backend.forget().then(forgotten);
    });
    await backend.bell.ring(nodeId, 0, { runId: 'first', leaseEpoch: 1 });
    await loss;
    await backend.bell.ring(nodeId, 0, { runId: 'second', leaseEpoch: 1 });
    await slot.got(2);
    await slot.close();
    assert.deepEqual(
      slot.rings.map(({ runId }) => runId),
      ['first', 'second'],
    );
  });

  test('cut connections mend by themselves, on both sides', async () => {
    const nodeId = newNode();
    const slot = await openSlot(backend.where, nodeId, 0);
    await backend.bell.ring(nodeId, 0, { runId: 'before', leaseEpoch: 1 });
    await slot.got(1);
    await backend.cut();
    for (let attempt = 1; ; attempt++) {
      try {
        await backend.bell.ring(nodeId, 0, { runId: 'after', leaseEpoch: 1 });
        break;
      } catch (error) {
        assert.ok(error instanceof Problem && error.code === 'queue-unavailable');
        assert.ok(attempt < 10, 'the bell does not mend');
      }
    }
    await slot.got(2);
    await slot.close();
    assert.equal(slot.rings.at(-1)?.runId, 'after');
    await backend.bell.health();
  });

  test('many slots: each gets its own rings, in order, one at a time', async () => {
    const nodeIds = [newNode(), newNode()];
    const rings = ['a', 'b', 'c', 'd'].map((runId) => ({ runId, leaseEpoch: 1 }));
    const places = nodeIds.flatMap((nodeId) => [0, 1, 2].map((slot) => ({ nodeId, slot })));
    let atOnce = 0;
    const slots = await Promise.all(
      places.map(({ nodeId, slot }) => {
        let busy = 0;
        return openSlot(backend.where, nodeId, slot, async () => {
          atOnce = Math.max(atOnce, ++busy);
          await new Promise((resolve) => setImmediate(resolve));
          busy--;
        });
      }),
    );
    const mine = (place: { nodeId: string; slot: number }, ring: Ring): Ring => ({
      runId: `${ring.runId}${place.nodeId.slice(-2)}x${place.slot}`,
      leaseEpoch: ring.leaseEpoch,
    });
    for (const ring of rings) {
      await Promise.all(
        places.map((place) => backend.bell.ring(place.nodeId, place.slot, mine(place, ring))),
      );
    }
    await Promise.all(slots.map((slot) => slot.got(rings.length)));
    await Promise.all(slots.map((slot) => slot.close()));
    assert.deepEqual(
      slots.map((slot) => slot.rings),
      places.map((place) => rings.map((ring) => mine(place, ring))),
    );
    assert.equal(atOnce, 1);
  });

  test('a worker that is killed leaves one failed ring and no second start', async (t) => {
    const nodeId = newNode();
    const lockMilliseconds = 500;
    const child = startChild(backend.where, nodeId, lockMilliseconds);
    t.after(() => child.process.kill('SIGKILL'));
    const ring = { runId: 'killed', leaseEpoch: 1 };
    await backend.bell.ring(nodeId, 0, ring);
    await child.line((line) => line === JSON.stringify(ring));
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    const failure = await backend.failure(slotQueue(nodeId, 0));
    const slot = await openSlot(backend.where, nodeId, 0, undefined, lockMilliseconds);
    assert.equal(await failure.failed, ringId(ring));
    await backend.bell.ring(nodeId, 0, { runId: 'next', leaseEpoch: 1 });
    await slot.got(1);
    await slot.close();
    await failure.close();
    assert.deepEqual(slot.rings, [{ runId: 'next', leaseEpoch: 1 }]);
  });
}

function startChild(where: AnswerOptions['where'], nodeId: string, lockMilliseconds: number) {
  const script = fileURLToPath(new URL('./answering-child.ts', import.meta.url));
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', script, JSON.stringify(where), nodeId, '0', String(lockMilliseconds)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = on(createInterface({ input: child.stdout! }), 'line', { close: ['close'] });
  return {
    process: child,
    async line(wanted: (line: string) => boolean): Promise<void> {
      for await (const [line] of lines) if (wanted(line)) return;
      throw new Error('the child ended');
    },
  };
}

const database = await withDatabase();
const { path, absence } = await provideRedis();
const server = path === null ? null : await withRedis(path);

describe('BullMQ on PostgreSQL', () => conformance(() => postgres(database.url)));
describe('BullMQ on Redis', { skip: absence }, () => conformance(() => redis(server!.url)));
