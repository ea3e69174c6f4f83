// Nodes as they are told.

import type { RunLine } from '@retraind/prisma/store/lists';
import type { Node as StoredNode } from '@retraind/prisma/store/nodes';
import { inventoryFaults, newDevices } from '@retraind/shared/node/inventory';
import { protocolFault } from '@retraind/shared/node/protocol';
import type { ShownNodeState } from '@retraind/shared/node/states';
import { nodeSilenceSeconds } from '@retraind/shared/policy/world';
import type { Node } from '@retraind/shared/wire/node';
import { runSummaryView } from './run.ts';

export function nodeView(node: StoredNode, leased: readonly RunLine[], now: Date): Node {
  const runs = leased.filter(({ nodeId }) => nodeId === node.nodeId).map(runSummaryView);
  const { inventory, approvedInventory, protocol, program } = node;
  const misspoken = protocol === null ? null : protocolFault(protocol, program);
  return {
    nodeId: node.nodeId,
    name: node.name,
    class: node.class,
    state: shownState(node, runs.length, misspoken !== null, now),
    reason: node.stateReason || misspoken,
    stateBy: node.stateBy,
    stateAt: node.stateAt.toISOString(),
    slots: node.slots,
    longestRunSeconds: node.longestRunSeconds === 0 ? null : node.longestRunSeconds,
    accelerators: node.accelerators,
    inventory,
    approvedInventory,
    inventoryFaults: inventory && approvedInventory ? inventoryFaults(approvedInventory, inventory) : [],
    newDeviceIds: inventory ? newDevices(approvedInventory, inventory).map(({ deviceId }) => deviceId) : [],
    tags: node.tags,
    vitals: node.vitals,
    program,
    protocol,
    clockOffsetSeconds: node.clockOffsetSeconds,
    clockRefusedAt: node.clockRefusedAt?.toISOString() ?? null,
    faultsInRow: node.faultsInRow,
    queueSha256: node.queueSha256,
    registeredAt: node.createdAt.toISOString(),
    seenAt: node.seenAt?.toISOString() ?? null,
    runs,
    href: `/api/v1/nodes/${node.nodeId}`,
    pageHref: `/nodes/${node.nodeId}`,
  };
}

function shownState(node: StoredNode, runs: number, isMisspoken: boolean, now: Date): ShownNodeState {
  if (node.state === 'drained' && runs > 0) return 'draining';
  if (node.state !== 'approved') return node.state;
  if (isMisspoken) return 'incompatible';
  const silentMilliseconds = now.getTime() - (node.seenAt?.getTime() ?? 0);
  return silentMilliseconds > nodeSilenceSeconds * 1_000 ? 'offline' : 'online';
}
