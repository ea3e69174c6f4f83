// retrain node acl: the commands for the farm's Redis that give each node its own queues and nothing else.
//   retrain node acl | redis-cli -u "$ADMIN_REDIS_URL"
import { queueAcl } from '@retraind/shared/node/queue-acl';
import type { Node } from '@retraind/shared/wire/node';
import { exitCodes } from '@retraind/shared/wire/problems';
import { jsonOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { findNode } from '../../node-lookup.ts';

export const nodeAcl: Verb = {
  name: 'node acl',
  usage: 'node acl [NODE] [--json]',
  summary: 'print the Redis commands that give each node its own queues and nothing else, for redis-cli',
  words: [0, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const [word] = args.words;
    const nodes = word
      ? [await findNode(farm, word)]
      : (await farm.get<{ items: Node[] }>('/api/v1/nodes')).items;
    const commands = nodes.flatMap(({ nodeId, state, queueSha256 }) => {
      if (state === 'retired') return [['ACL', 'DELUSER', nodeId]];
      if (state === 'pending' || queueSha256 === null) return [];
      return [['ACL', 'SETUSER', ...queueAcl(nodeId, queueSha256)]];
    });
    output.result({ commands }, commands.map((words) => words.join(' ')).join('\n'));
    for (const { nodeId, state, queueSha256 } of nodes) {
      if (queueSha256 === null && state !== 'retired' && state !== 'pending') {
        output.say(`node ${nodeId} told no password: it was registered by hand; give it a user yourself`);
      }
    }
    return exitCodes.done;
  },
};
