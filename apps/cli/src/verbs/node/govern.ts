// retrain node drain, resume, retire: deeds on a node that need nothing but a reason.

import type { Node } from '@retraind/shared/wire/node';
import { exitCodes } from '@retraind/shared/wire/problems';
import { jsonOption, messageOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { findNode, nodeLine } from '../../node-lookup.ts';

const deed = (name: 'drain' | 'resume' | 'retire', summary: string): Verb => ({
  name: `node ${name}`,
  usage: `node ${name} NODE -m WHY [--json]`,
  summary,
  words: [1, 1],
  options: { ...farmOptions, ...messageOption, ...jsonOption },
  async run(args, output) {
    const reason = args.reason();
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { nodeId } = await findNode(farm, args.words[0]!);
    const node = await farm.post<Node>(`/api/v1/nodes/${nodeId}/${name}`, { reason });
    output.result(node, nodeLine(node));
    return exitCodes.done;
  },
});

export const nodeDrain = deed('drain', 'give a node no further run; what it has it ends');
export const nodeResume = deed('resume', 'end a drain or a quarantine, and forget the node’s faults');
export const nodeRetire = deed('retire', 'revoke a node’s key for good; its runs wait again at once');
