// BullMQ over Redis 7 or Valkey: the backend for nodes that are not trusted with each other's queues (an ACL user a node).
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Bell, BellTrouble } from './bell.ts';
import { SlotQueues, withinTime } from './slots.ts';

export async function openRedisBell(redisUrl: string, onTrouble: BellTrouble): Promise<Bell> {
  const redis = new Redis(redisUrl, {
    maxRetriesPerRequest: null,
    connectionName: 'retraind-bell',
    retryStrategy: (times) => Math.min(100 * 2 ** times, 5_000),
  });
  // Every slot's queue listens on the one connection.
  redis.setMaxListeners(0);
  redis.on('error', onTrouble);
  const queues = new SlotQueues(
    (name) => new Queue(name, { connection: redis, skipMetasUpdate: true }),
    onTrouble,
  );
  return {
    ring: (nodeId, slot, ring) => queues.ring(nodeId, slot, ring),
    async health() {
      await withinTime(redis.ping());
    },
    async close() {
      await queues.close();
      redis.disconnect();
    },
  };
}
