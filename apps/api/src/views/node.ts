// Nodes as they are told.

import type { RunLine } from '@retraind/prisma/store/lists';
import type { Node as StoredNode } from '@retraind/prisma/store/nodes';
import type { Node, RunSummary } from '@retraind/shared/wire/resources';
import { runSummaryView } from './run.ts';

/** Silence after which a node is told as offline, in leases. */
const silentLeases = 2;

export function nodeView(
  node: StoredNode,
  leased: readonly RunLine[],
  { now, leaseSeconds }: { now: Date; leaseSeconds: number },
): Node {
  const runs: RunSummary[] = leased.filter(({ nodeId }) => nodeId === node.nodeId).map(runSummaryView);
  const silentMilliseconds = now.getTime() - (node.seenAt?.getTime() ?? 0);
  const state =
    node.approvedAt === null
      ? 'unapproved'
      : node.drainedAt !== null
        ? 'drained'
        : silentMilliseconds > silentLeases * leaseSeconds * 1_000
          ? 'offline'
          : 'online';
  return {
    nodeId: node.nodeId,
    name: node.name,
    class: node.class,
    state,
    reason: node.drainReason,
    slots: node.slots,
    accelerators: node.accelerators,
    registeredAt: node.createdAt.toISOString(),
    seenAt: node.seenAt?.toISOString() ?? null,
    runs,
  };
}
