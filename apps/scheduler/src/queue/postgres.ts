// BullMQ over PostgreSQL: its tables lie in their own schema of the farm's database. For trusted hosts only: a role that
// reaches the schema reaches every node's queue (docs/explanation/scheduling.md).
import { queueSchema } from '@retraind/shared/wire/doorbell';
import { createPostgresBackend, Queue, runMigrations } from 'bullmq';
import pg from 'pg';
import type { Bell, BellTrouble } from './bell.ts';
import { SlotQueues, withinTime } from './slots.ts';

/** Role that workers on trusted hosts connect as: it reaches BullMQ's schema and no table of the farm. */
const workerRole = 'retraind_worker';

/** No password is set here: who may log in as the role is the business of pg_hba.conf, or of the embedded farm's socket. */
const grants = `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${workerRole}') THEN CREATE ROLE ${workerRole} LOGIN; END IF;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END $$;
  GRANT USAGE ON SCHEMA ${queueSchema} TO ${workerRole};
  GRANT ALL ON ALL TABLES IN SCHEMA ${queueSchema} TO ${workerRole};
  GRANT ALL ON ALL SEQUENCES IN SCHEMA ${queueSchema} TO ${workerRole};
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${queueSchema} TO ${workerRole};`;

/** Brings BullMQ's schema up to this BullMQ and lets workers in; safe to call from several programs at once. */
export async function migrateQueue(
  databaseUrl: string,
  onTrouble: BellTrouble = () => undefined,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'retraind-queue-migrate' });
  await client.connect();
  try {
    await runMigrations(client, queueSchema);
    // A database whose owner may not make roles still works: its admin makes the role (docs/how-to/run-a-farm.md).
    await client.query(grants).catch(onTrouble);
  } finally {
    await client.end();
  }
}

export async function openPostgresBell(databaseUrl: string, onTrouble: BellTrouble): Promise<Bell> {
  await migrateQueue(databaseUrl, onTrouble);
  // One small pool for all slots: left alone, BullMQ opens a pool a queue. A pool of ours needs the search path that
  // BullMQ would have set.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    options: `-c search_path=${queueSchema}`,
    application_name: 'retraind-bell',
    keepAlive: true,
    max: 2,
  });
  // Every slot's queue listens to the one pool.
  pool.setMaxListeners(0);
  pool.on('error', onTrouble);
  const queues = new SlotQueues(
    (name) => new Queue(name, { connection: pool, skipMetasUpdate: true }, createPostgresBackend),
    onTrouble,
  );
  return {
    ring: (nodeId, slot, ring) => queues.ring(nodeId, slot, ring),
    async health() {
      await withinTime(pool.query('SELECT 1'));
    },
    async close() {
      await queues.close();
      await pool.end();
    },
  };
}
