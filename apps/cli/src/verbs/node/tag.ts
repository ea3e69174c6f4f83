// retrain node tag: an admin's word on a node's tags.

import type { Node } from '@retraind/shared/wire/node';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { jsonOption, messageOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { findNode, nodeLine } from '../../node-lookup.ts';

export const nodeTag: Verb = {
  name: 'node tag',
  usage: 'node tag NODE -m WHY [--add TAG …] [--mandatory TAG …] [--remove TAG …] [--json]',
  summary: 'set and take back tags of a node',
  words: [1, 1],
  options: {
    ...farmOptions,
    add: { type: 'string', value: 'TAG', multiple: true, help: 'work may ask for it' },
    mandatory: {
      type: 'string',
      value: 'TAG',
      multiple: true,
      help: 'keeps the node for work that asks for it',
    },
    remove: { type: 'string', value: 'TAG', multiple: true, help: 'a tag that an admin has set' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const reason = args.reason();
    const remove = args.texts('remove');
    const add = [
      ...args.texts('add').map((tag) => ({ tag, mandatory: false })),
      ...args.texts('mandatory').map((tag) => ({ tag, mandatory: true })),
    ];
    if (add.length + remove.length === 0) {
      throw new Problem('usage', 'no tag is given', 'one of --add, --mandatory, --remove');
    }
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { nodeId } = await findNode(farm, args.words[0]!);
    const node = await farm.post<Node>(`/api/v1/nodes/${nodeId}/tags`, { reason, add, remove });
    output.result(node, nodeLine(node));
    return exitCodes.done;
  },
};
