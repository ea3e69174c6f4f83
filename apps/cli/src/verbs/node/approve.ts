// retrain node approve: let a machine serve, with the inventory that it reports now.

import type { Node } from '@retraind/shared/wire/node';
import { exitCodes } from '@retraind/shared/wire/problems';
import { jsonOption, messageOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { findNode, nodeLine } from '../../node-lookup.ts';

export const nodeApprove: Verb = {
  name: 'node approve',
  usage: 'node approve NODE -m WHY [--tag TAG …] [--mandatory TAG …] [--slots N] [--name NAME] [--json]',
  summary: 'let a machine serve, with the inventory that it reports now; again: after its devices changed',
  words: [1, 1],
  options: {
    ...farmOptions,
    tag: { type: 'string', value: 'TAG', multiple: true, help: 'a tag that work may ask for' },
    mandatory: {
      type: 'string',
      value: 'TAG',
      multiple: true,
      help: 'a tag that keeps the node for work that asks for it',
    },
    slots: { type: 'string', value: 'N', help: 'runs at once (default: as the machine asked)' },
    name: { type: 'string', value: 'NAME', help: 'name that people see (default: as the machine asked)' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const reason = args.reason();
    const slots = args.wholeNumber('slots', 1, 256);
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { nodeId } = await findNode(farm, args.words[0]!);
    const tags = [
      ...args.texts('tag').map((tag) => ({ tag, mandatory: false })),
      ...args.texts('mandatory').map((tag) => ({ tag, mandatory: true })),
    ];
    const node = await farm.post<Node>(`/api/v1/nodes/${nodeId}/approve`, {
      reason,
      name: args.text('name'),
      slots,
      tags: tags.length > 0 ? tags : undefined,
    });
    output.result(node, nodeLine(node));
    return exitCodes.done;
  },
};
