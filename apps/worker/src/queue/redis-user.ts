// Who the node is to the farm's Redis: REDIS_URL with a user and no password means the node's own user, whose password comes
// from its key (`retrain node acl` prints what the farm's Redis is to know of it).
import { queuePassword } from '@retraind/shared/node/queue-acl';
import type { NodeKey } from '../node-key.ts';

/** The URL with the node's password where it names a user and gives none. */
export function withNodePassword(redisUrl: string, { privateKey }: Pick<NodeKey, 'privateKey'>): string {
  const url = new URL(redisUrl);
  if (url.username === '' || url.password !== '') return redisUrl;
  url.password = queuePassword(privateKey);
  return url.href;
}
