// What people do with nodes: each deed one transaction on the locked row, with who and why in the audit. A machine may ask to
// serve by itself (enrol); that has no effect until an admin approves it.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { usableAccelerators } from '@retraind/shared/node/inventory';
import { type NodeState, nodeMayMove } from '@retraind/shared/node/states';
import { restated, withSet } from '@retraind/shared/node/tags';
import { slotsOfNode } from '@retraind/shared/policy/world';
import type { NodeApproval, NodeEnrolment } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import type { Database, Transaction } from '../client.ts';
import { note } from './audit.ts';
import { asJson, byId, lockNode, type Node, retiredProblem } from './nodes.ts';
import * as runs from './runs.ts';

/** Machines that may wait for approval at once: strangers can fill this list and nothing else. */
export const mostPending = 100;

/** Of our advisory locks (leader, migrations): none else has this number. */
const enrolmentLock = 72_707_371;

/**
 * A machine asks to serve. Asking again while it waits takes the new description; later it changes nothing. Throws Problem
 * `busy` where too many wait, `forbidden` for a retired key.
 */
export const enrol = (
  db: Database,
  nodeId: string,
  {
    publicKey,
    name,
    class: nodeClass,
    slots,
    queueSha256,
    inventory,
    cores,
    memoryBytes,
    tags,
  }: NodeEnrolment,
): Promise<{ node: Node; isNew: boolean }> =>
  db.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${enrolmentLock}::bigint)`;
    const before = await byId(tx, nodeId);
    if (before?.state === 'retired') {
      const { detail, hint } = retiredProblem(nodeId);
      throw new Problem('forbidden', detail, hint);
    }
    if (before && before.state !== 'pending') return { node: before, isNew: false };
    if (before === null && (await tx.node.count({ where: { state: 'pending' } })) >= mostPending) {
      throw new Problem(
        'busy',
        `${mostPending} machines wait to be approved: no further one may ask`,
        'an admin approves or retires some: retrain node list',
      );
    }
    const data = {
      name,
      class: nodeClass,
      slots,
      queueSha256,
      inventory: asJson({ ...inventory, cores, memoryBytes }),
      program: inventory.program,
      tags: asJson(restated([], 'claimed', tags, nodeId, new Date().toISOString())),
    };
    await tx.node.upsert({
      where: { nodeId },
      create: { nodeId, publicKey, stateBy: `node:${nodeId}`, ...data },
      update: data,
    });
    if (before === null) {
      await note(tx, {
        actor: `node:${nodeId}`,
        deed: 'nodes.enrol',
        subject: `node:${nodeId}`,
        facts: { name },
      });
    }
    return { node: (await byId(tx, nodeId))!, isNew: before === null };
  });

interface Move {
  nodeId: string;
  actor: string;
  reason: string;
}

const moveNode = async (
  tx: Transaction,
  node: Node,
  to: NodeState,
  { actor, reason }: Move,
): Promise<void> => {
  const { nodeId, state } = node;
  if (!nodeMayMove(state, to)) {
    throw state === 'retired'
      ? retiredProblem(nodeId)
      : new Problem('conflict', `Node ${nodeId} is ${state}: it cannot become ${to}`);
  }
  await tx.node.update({
    where: { nodeId },
    data: { state: to, stateReason: reason, stateBy: actor, stateAt: new Date() },
  });
};

const noteDeed = (tx: Transaction, deed: string, { nodeId, actor, reason }: Move, facts = {}) =>
  note(tx, { actor, deed: `nodes.${deed}`, subject: `node:${nodeId}`, reason, facts });

/** Throws Problem `conflict` where a device would be dealt to a slot while the run of another one has it. */
const requireStill = async (
  tx: Transaction,
  nodeId: string,
  slots: number,
  accelerators: Accelerator[],
): Promise<void> => {
  const open = await tx.lease.findMany({
    where: { nodeId, outcome: null },
    select: { runId: true, slot: true, deviceIds: true },
  });
  for (const dealt of slotsOfNode(slots, accelerators)) {
    for (const { device } of dealt.accelerators) {
      const held = open.find(
        ({ slot, deviceIds }) => slot !== dealt.slot && deviceIds.includes(device!.deviceId),
      );
      if (held === undefined) continue;
      throw new Problem(
        'conflict',
        `${device!.deviceId} would be of slot ${dealt.slot}, and run ${held.runId} has it in slot ${held.slot}`,
        'drain the node, and approve it when its runs have ended',
      );
    }
  }
};

/**
 * Lets a node serve with what it reports now, which is approved from here on; ends a drain. Throws Problem `conflict` for a
 * node that is quarantined (resume it) or retired, and where a device of a run would go to another slot.
 */
export const approve = (db: Database, move: Move & Omit<NodeApproval, 'reason'>): Promise<Node> =>
  db.$transaction(async (tx) => {
    const node = await lockNode(tx, move.nodeId);
    if (node.state === 'quarantined') {
      throw new Problem(
        'conflict',
        `Node ${move.nodeId} is quarantined: ${node.stateReason}`,
        'once the machine is mended: retrain node resume',
      );
    }
    await moveNode(tx, node, 'approved', move);
    const { inventory } = node;
    const accelerators = inventory && usableAccelerators(inventory, inventory);
    if (accelerators) await requireStill(tx, move.nodeId, move.slots ?? node.slots, accelerators);
    await tx.node.update({
      where: { nodeId: move.nodeId },
      data: {
        faultsInRow: 0,
        name: move.name,
        slots: move.slots,
        ...(inventory && {
          approvedInventory: asJson(inventory),
          accelerators: asJson(accelerators),
        }),
        ...(move.tags && {
          tags: asJson(
            withSet(node.tags, { add: move.tags, remove: [] }, move.actor, new Date().toISOString()),
          ),
        }),
      },
    });
    const deviceIds = inventory?.devices.map(({ deviceId }) => deviceId) ?? [];
    await noteDeed(tx, 'approve', move, { deviceIds, tags: (move.tags ?? []).map(({ tag }) => tag) });
    return (await byId(tx, move.nodeId))!;
  });

/** Gives a node no further run; what it has it ends. */
export const drain = (db: Database, move: Move): Promise<Node> =>
  db.$transaction(async (tx) => {
    await moveNode(tx, await lockNode(tx, move.nodeId), 'drained', move);
    await noteDeed(tx, 'drain', move);
    return (await byId(tx, move.nodeId))!;
  });

/** Ends a drain or a quarantine, and forgets the faults. Its inventory stays as approved: one that lacks of it is drained again. */
export const resume = (db: Database, move: Move): Promise<Node> =>
  db.$transaction(async (tx) => {
    const node = await lockNode(tx, move.nodeId);
    if (node.state !== 'drained' && node.state !== 'quarantined') {
      throw node.state === 'retired'
        ? retiredProblem(move.nodeId)
        : new Problem('conflict', `Node ${move.nodeId} is ${node.state}: there is nothing to resume`);
    }
    await moveNode(tx, node, 'approved', move);
    await tx.node.update({ where: { nodeId: move.nodeId }, data: { faultsInRow: 0 } });
    await noteDeed(tx, 'resume', move);
    return (await byId(tx, move.nodeId))!;
  });

/** Revokes the node's key for good; the runs that it has wait again at once. */
export const retire = async (db: Database, move: Move): Promise<Node> => {
  const node = await db.$transaction(async (tx) => {
    await moveNode(tx, await lockNode(tx, move.nodeId), 'retired', move);
    await noteDeed(tx, 'retire', move);
    return (await byId(tx, move.nodeId))!;
  });
  // Each in its own transaction (runs are locked before nodes); what is missed here expires.
  const held = await db.run.findMany({
    where: { nodeId: move.nodeId, state: 'leased' },
    select: { runId: true, leaseEpoch: true },
  });
  for (const lease of held) {
    const detail = `node ${move.nodeId} was retired: ${move.reason}`;
    await runs.giveBack(db, { ...lease, outcome: 'given-back', blame: 'farm', detail });
  }
  return node;
};

/** An admin's word on tags. */
export const tag = (
  db: Database,
  move: Move & { add: { tag: string; mandatory: boolean }[]; remove: string[] },
): Promise<Node> =>
  db.$transaction(async (tx) => {
    const { nodeId, actor, add, remove } = move;
    const node = await lockNode(tx, nodeId);
    const missing = remove.find(
      (word) => !node.tags.some((one) => one.tag === word && one.provenance === 'set'),
    );
    if (missing !== undefined) {
      throw new Problem('not-found', `No admin has set the tag ${missing} on node ${nodeId}`);
    }
    const tags = withSet(node.tags, { add, remove }, actor, new Date().toISOString());
    await tx.node.update({ where: { nodeId }, data: { tags: asJson(tags) } });
    await noteDeed(tx, 'tag', move, { add, remove });
    return (await byId(tx, nodeId))!;
  });

/** How long a run of the node may be; null for any length. Throws Problem `conflict` for a retired node. */
export const limit = (db: Database, move: Move & { longestRunSeconds: number | null }): Promise<Node> =>
  db.$transaction(async (tx) => {
    const { nodeId, longestRunSeconds } = move;
    const node = await lockNode(tx, nodeId);
    if (node.state === 'retired') throw retiredProblem(nodeId);
    await tx.node.update({ where: { nodeId }, data: { longestRunSeconds: longestRunSeconds ?? 0 } });
    await noteDeed(tx, 'limit', move, { longestRunSeconds });
    return (await byId(tx, nodeId))!;
  });
