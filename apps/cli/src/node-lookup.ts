// A node as people name it: by its id, the head of it, or its name.

import { displayDuration } from '@retraind/shared/units/duration';
import type { Node, NodeDetail } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import type { FarmClient } from './farm-client.ts';

/** Throws Problem `not-found`, or `usage` where several are meant. */
export async function findNode(farm: FarmClient, word: string): Promise<NodeDetail> {
  const { items } = await farm.get<{ items: Node[] }>('/api/v1/nodes');
  const found = items.filter(({ nodeId, name }) => nodeId === word || name === word);
  const near =
    found.length > 0 ? found : items.filter(({ nodeId }) => word.length >= 4 && nodeId.startsWith(word));
  if (near.length === 1) return farm.get<NodeDetail>(near[0]!.href);
  if (near.length === 0)
    throw new Problem('not-found', `there is no node ${word}`, 'list them: retrain node list');
  const ids = near.map(({ nodeId }) => nodeId).join(', ');
  throw new Problem('usage', `${word} means several nodes: ${ids}`, 'give the id');
}

export const nodeLine = ({ nodeId, name, class: nodeClass, state, stateBy, slots, reason }: Node): string =>
  `node ${nodeId} (${name}, ${nodeClass}, ${slots} slots) is ${state}${stateBy ? ` by ${stateBy}` : ''}${reason ? `: ${reason}` : ''}`;

export const longestRunLine = ({ longestRunSeconds: seconds }: Node): string =>
  seconds === null ? 'takes runs of any length' : `takes runs of at most ${displayDuration(seconds)}`;
