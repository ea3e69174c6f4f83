// Nodes as they are told.

import type { RunLine } from '@retraind/prisma/store/lists';
import type { Node as StoredNode } from '@retraind/prisma/store/nodes';
import { nodeSilenceSeconds } from '@retraind/shared/policy/world';
import type { Node, RunSummary } from '@retraind/shared/wire/resources';
import { runSummaryView } from './run.ts';

export function nodeView(node: StoredNode, leased: readonly RunLine[], now: Date): Node {
  const runs: RunSummary[] = leased.filter(({ nodeId }) => nodeId === node.nodeId).map(runSummaryView);
  const silentMilliseconds = now.getTime() - (node.seenAt?.getTime() ?? 0);
  const state =
    node.state !== 'approved'
      ? node.state === 'drained' && runs.length > 0
        ? 'draining'
        : node.state
      : silentMilliseconds > nodeSilenceSeconds * 1_000
        ? 'offline'
        : 'online';
  return {
    nodeId: node.nodeId,
    name: node.name,
    class: node.class,
    state,
    reason: node.stateReason || null,
    slots: node.slots,
    accelerators: node.accelerators,
    registeredAt: node.createdAt.toISOString(),
    seenAt: node.seenAt?.toISOString() ?? null,
    runs,
  };
}
