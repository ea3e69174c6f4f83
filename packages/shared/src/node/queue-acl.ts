// What a node may do in the farm's Redis: read and write the queues of its own slots, and nothing else. The rules are those of
// Redis 7 (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/); BullMQ's Lua scripts run as the user who
// calls them, so the keys that they touch are held to the pattern too.
import { createHash, hkdfSync, type KeyObject } from 'node:crypto';
import { slotQueues } from '../wire/doorbell.ts';

/**
 * The password that a node gives to Redis: derived from its key, so that none has to be carried to the machine. The farm is told
 * only its sha256, which is what Redis keeps.
 * @param privateKey the node's ed25519 key
 */
export function queuePassword(privateKey: KeyObject): string {
  const { d } = privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(d!, 'base64url');
  return Buffer.from(hkdfSync('sha256', seed, '', 'retraind queue password', 32)).toString('hex');
}

export const queueSha256 = (privateKey: KeyObject): string =>
  createHash('sha256').update(queuePassword(privateKey)).digest('hex');

/**
 * Beside what touches keys of others (the pattern forbids it): what touches the server, what names keys of others (SCAN knows no
 * pattern of the user's), and what is stored on the server for all (scripts, functions).
 */
const commands = [
  '+@all',
  '-@admin',
  '-@dangerous',
  '-@pubsub',
  '-scan',
  '-randomkey',
  '-dbsize',
  '-select',
  '-swapdb',
  '-function',
  '-fcall',
  '-fcall_ro',
  '-script',
  '+info',
  '+client|setname',
];

/** The words of Redis' `ACL SETUSER` for a node, from nothing: setting them again changes nothing. */
export const queueAcl = (nodeId: string, passwordSha256: string): string[] => [
  nodeId,
  'reset',
  'on',
  `#${passwordSha256}`,
  `~bull:${slotQueues(nodeId)}`,
  ...commands,
];
