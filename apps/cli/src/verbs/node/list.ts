// retrain node list: the machines of the farm.

import type { Node } from '@retraind/shared/wire/node';
import { exitCodes } from '@retraind/shared/wire/problems';
import { jsonOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { table } from '../../output.ts';

export const nodeList: Verb = {
  name: 'node list',
  usage: 'node list [--json]',
  summary: 'the nodes of the farm, with state and reason',
  words: [0, 0],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { items } = await farm.get<{ items: Node[] }>('/api/v1/nodes');
    const head = ['NODE', 'NAME', 'CLASS', 'STATE', 'BUSY', 'DEVICES', 'SEEN', 'REASON'].map(
      output.color.bold,
    );
    const rows = items.map((node) => [
      node.nodeId,
      node.name,
      node.class,
      node.state,
      `${node.runs.length}/${node.slots}`,
      `${node.inventory?.devices.length ?? 0}${node.inventory?.replayedFrom ? ' (replayed)' : ''}`,
      node.seenAt ?? 'never',
      node.reason ?? '',
    ]);
    output.result({ nodes: items }, items.length === 0 ? 'no nodes' : table([head, ...rows]));
    return exitCodes.done;
  },
};
