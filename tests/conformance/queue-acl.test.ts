// A node's Redis user, on a real Redis: it answers the rings of its own slots, and another node's queue is closed to it.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import { queueAcl, queuePassword, queueSha256 } from '@retraind/shared/node/queue-acl';
import { slotQueue } from '@retraind/shared/wire/doorbell';
import { Redis } from 'ioredis';
import { openBell } from '../../apps/scheduler/src/queue/bell.ts';
import { answerRings } from '../../apps/worker/src/queue/answer.ts';
import { withNodePassword } from '../../apps/worker/src/queue/redis-user.ts';
import { provideRedis, withRedis } from '../support/redis.ts';

const { path, absence } = await provideRedis();

const makeNode = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const nodeId = nodeIdOf(publicKey);
  return {
    nodeId,
    privateKey,
    password: queuePassword(privateKey),
    acl: queueAcl(nodeId, queueSha256(privateKey)),
  };
};

const fail = (error: Error): void => {
  throw error;
};

test('a node answers its own rings, and can neither read nor write another node’s queue', {
  skip: absence,
}, async () => {
  const { url } = await withRedis(path!);
  const admin = new Redis(url);
  admin.on('error', () => undefined);
  after(() => admin.disconnect());
  const [ours, theirs] = [makeNode(), makeNode()];
  for (const { acl } of [ours, theirs]) assert.equal(await admin.call('ACL', 'SETUSER', ...acl), 'OK');
  const urlOf = ({ nodeId, password }: typeof ours) =>
    url.replace('//:', `//${nodeId}:`).replace(/:[0-9a-f]{32}@/, `:${password}@`);
  const bell = await openBell({ redisUrl: url, databaseUrl: '' }, fail);
  after(() => bell.close());
  const stop = new AbortController();
  let hear: (runId: string) => void = () => undefined;
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  // Slot 10 too: the pattern covers every slot of the node.
  const ears = await answerRings({
    where: { redisUrl: withNodePassword(urlOf({ ...ours, password: '' }), ours) },
    nodeId: ours.nodeId,
    slot: 10,
    signal: stop.signal,
    onTrouble: fail,
    onRing: async ({ runId }) => hear(runId),
  });
  await bell.ring(ours.nodeId, 10, { runId: 'abc', leaseEpoch: 1 });
  assert.equal(await heard, 'abc');
  await ears.close();

  await bell.ring(theirs.nodeId, 0, { runId: 'xyz', leaseEpoch: 1 });
  const node = new Redis(urlOf(ours), { retryStrategy: () => null });
  node.on('error', () => undefined);
  after(() => node.disconnect());
  const queue = `bull:${slotQueue(theirs.nodeId, 0)}`;
  const keys = await admin.keys(`${queue}:*`);
  assert.ok(keys.length > 0, 'the other queue holds a ring');
  const script = (text: string) => ['EVAL', text, '1', `bull:${slotQueue(ours.nodeId, 0)}:x`];
  const attempts = [
    ...keys.flatMap((key) => [
      ['DEL', key],
      ['TYPE', key],
      ['RENAME', key, `bull:${slotQueue(ours.nodeId, 0)}:stolen`],
      ['COPY', key, `bull:${slotQueue(ours.nodeId, 0)}:copied`],
      ['EXPIRE', key, '1'],
    ]),
    ['HGETALL', `${queue}:xyz-1`],
    ['LPUSH', `${queue}:wait`, 'forged'],
    ['BZPOPMIN', `${queue}:marker`, '1'],
    ['XADD', `${queue}:events`, '*', 'event', 'forged'],
    script(`return redis.call('HGETALL', '${queue}:xyz-1')`),
    script(`return redis.call('DEL', '${queue}:wait')`),
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['RANDOMKEY'],
    ['SELECT', '1'],
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['MONITOR'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['FUNCTION', 'FLUSH'],
    ['PUBLISH', 'x', 'y'],
    ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ['SHUTDOWN'],
  ];
  for (const [command, ...words] of attempts) {
    await assert.rejects(
      node.call(command!, ...words),
      /NOPERM|can't access|no permissions/i,
      `${command} ${words.join(' ')}`,
    );
  }
  assert.equal(
    await node.hset(`bull:${slotQueue(ours.nodeId, 0)}:meta`, 'a', '1'),
    1,
    'its own keys are open',
  );
  const stranger = new Redis(urlOf({ ...ours, password: theirs.password }), {
    retryStrategy: () => null,
    lazyConnect: true,
  });
  stranger.on('error', () => undefined);
  await assert.rejects(
    stranger.connect().then(() => stranger.ping()),
    /WRONGPASS|closed/,
  );

  // Retired: the user goes, and with it the open connection.
  await admin.call('ACL', 'DELUSER', ours.nodeId);
  await assert.rejects(node.ping());
});
