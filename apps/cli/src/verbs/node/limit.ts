// retrain node limit: how long a run of a node may be.

import { parseDuration } from '@retraind/shared/units/duration';
import type { Node, NodeLimit } from '@retraind/shared/wire/node';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { jsonOption, messageOption, type Verb } from '../../args.ts';
import { farmOptions, findFarm } from '../../farm-client.ts';
import { findNode, longestRunLine, nodeLine } from '../../node-lookup.ts';

/** Seconds; null for `any`. Throws Problem `usage`. */
function readLongestRun(text: string | undefined): number | null {
  if (text === 'any') return null;
  const seconds = text === undefined ? null : parseDuration(text);
  if (seconds !== null && seconds > 0) return seconds;
  throw new Problem('usage', '--longest-run is no length of time', 'for example: --longest-run 8h, or any');
}

export const nodeLimit: Verb = {
  name: 'node limit',
  usage: 'node limit NODE --longest-run 8h|any -m WHY [--json]',
  summary: 'keep a node for runs whose time limit is known and no longer than this; any: for all again',
  words: [1, 1],
  options: {
    ...farmOptions,
    'longest-run': {
      type: 'string',
      value: 'TIME',
      help: 'such as `45min`, `8h`, `1d 12h`; `any` for no limit',
    },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const reason = args.reason();
    const longestRunSeconds = readLongestRun(args.text('longest-run'));
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { nodeId } = await findNode(farm, args.words[0]!);
    const limit: NodeLimit = { reason, longestRunSeconds };
    const node = await farm.post<Node>(`/api/v1/nodes/${nodeId}/limit`, limit);
    output.result(node, `${nodeLine(node)}\n${longestRunLine(node)}`);
    return exitCodes.done;
  },
};
