// Nodes: machines that run workers, known by the key that they sign with. Here is what is read, and what nodes say of
// themselves; what people do with them is node-deeds.ts.
import { isDeepStrictEqual } from 'node:util';
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { inventoryFaults, type MachineInventory, usableAccelerators } from '@retraind/shared/node/inventory';
import type { NodeState } from '@retraind/shared/node/states';
import { type NodeTag, probedTags, restated } from '@retraind/shared/node/tags';
import type { NodeVitals } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database, Transaction } from '../client.ts';
import type { Node as NodeRow, Prisma } from '../generated/client.ts';
import { note } from './audit.ts';

export type Node = Omit<
  NodeRow,
  'state' | 'accelerators' | 'inventory' | 'approvedInventory' | 'tags' | 'vitals'
> & {
  state: NodeState;
  accelerators: Accelerator[];
  /** Null before the first report. */
  inventory: MachineInventory | null;
  approvedInventory: MachineInventory | null;
  tags: NodeTag[];
  vitals: NodeVitals | null;
};

export const nodeOf = (row: NodeRow): Node => {
  const node = row as unknown as Node;
  // Before the first report, and what an older farm kept, is no inventory.
  const isTold = Array.isArray(node.inventory?.devices) && node.inventory.memoryBytes > 0;
  return isTold ? node : { ...node, inventory: null };
};

export const asJson = (value: unknown): Prisma.InputJsonValue => value as Prisma.InputJsonValue;

export const byId = async (db: Connection, nodeId: string): Promise<Node | null> => {
  const row = await db.node.findUnique({ where: { nodeId } });
  return row && nodeOf(row);
};

export const list = async (db: Connection): Promise<Node[]> =>
  (await db.node.findMany({ orderBy: { nodeId: 'asc' } })).map(nodeOf);

/** The node, locked. Throws Problem `not-found`. */
export const lockNode = async (tx: Transaction, nodeId: string): Promise<Node> => {
  await tx.$queryRaw`SELECT FROM node WHERE node_id = ${nodeId} FOR UPDATE`;
  const node = await byId(tx, nodeId);
  if (node === null)
    throw new Problem('not-found', `There is no node ${nodeId}`, 'list them: retrain node list');
  return node;
};

export interface NodeToRegister {
  /** 16 hex digits of the key's sha256: the caller has checked that it is this key's. */
  nodeId: string;
  /** SPKI, PEM. */
  publicKey: string;
  name: string;
  class: string;
  slots: number;
  /** Null: a user of another's making. */
  queueSha256?: string | null;
}

/**
 * Registers and approves a node at once: what it reports first is taken for approved. Registering it again takes the new
 * description, ends a drain and forgets its faults: the person who does it says that the machine is well. Throws Problem
 * `conflict` for a retired node.
 */
export const register = (db: Database, node: NodeToRegister, actor: string): Promise<Node> =>
  db.$transaction(async (tx) => {
    const { nodeId, publicKey, ...description } = node;
    const before = await tx.node.findUnique({ where: { nodeId } });
    if (before && before.publicKey !== publicKey)
      throw new Problem('conflict', `Node ${nodeId} has another key`);
    if (before?.state === 'retired') throw retiredProblem(nodeId);
    const data = {
      ...description,
      state: 'approved',
      stateReason: '',
      stateBy: actor,
      stateAt: new Date(),
      faultsInRow: 0,
    };
    const row = await tx.node.upsert({
      where: { nodeId },
      create: { nodeId, publicKey, ...data },
      update: data,
    });
    await note(tx, { actor, deed: 'nodes.register', subject: `node:${nodeId}` });
    return nodeOf(row);
  });

export const retiredProblem = (nodeId: string): Problem =>
  new Problem(
    'conflict',
    `Node ${nodeId} is retired: its key is revoked for good`,
    'delete the key file on the machine, then: retrain node enrol',
  );

/** What a node says of itself. */
export interface SelfReport {
  inventory: MachineInventory;
  tags: string[];
  vitals: NodeVitals;
  protocol: number;
  /** The node's clock less the farm's. */
  clockOffsetSeconds: number;
}

/** What the farm made of a report. */
export interface ReportAnswer {
  state: NodeState;
  /** What the node lacks of what was approved; for these it was drained. */
  faults: string[];
}

/**
 * A sign of life. What it reports first is approved where an admin registered it without an inventory; what it lacks of
 * what was approved drains it; what it has beyond that is kept and not used. Throws Problem `not-found`.
 */
export const report = (db: Database, nodeId: string, self: SelfReport): Promise<ReportAnswer> =>
  db.$transaction(async (tx) => {
    const node = await lockNode(tx, nodeId);
    const { inventory, vitals, protocol, clockOffsetSeconds } = self;
    const approved = node.approvedInventory ?? inventory;
    const faults = inventoryFaults(approved, inventory);
    const now = new Date();
    const at = now.toISOString();
    const tags = restated(
      restated(node.tags, 'claimed', self.tags, nodeId, at),
      'probed',
      probedTags(inventory),
      'farm',
      at,
    );
    const accelerators = usableAccelerators(approved, inventory);
    const isDrained = node.state === 'approved' && faults.length > 0;
    const reason = `inventory: ${faults.join('; ')}`;
    await tx.node.update({
      where: { nodeId },
      data: {
        vitals: asJson(vitals),
        protocol,
        clockOffsetSeconds,
        clockRefusedAt: null,
        seenAt: now,
        // What a node has is large and seldom another; and some of these columns wake the scheduler.
        ...(!isDeepStrictEqual(inventory, node.inventory) && {
          inventory: asJson(inventory),
          program: inventory.program,
        }),
        ...(!isDeepStrictEqual(accelerators, node.accelerators) && { accelerators: asJson(accelerators) }),
        ...(!isDeepStrictEqual(tags, node.tags) && { tags: asJson(tags) }),
        ...(node.approvedInventory === null && { approvedInventory: asJson(inventory) }),
        ...(isDrained && { state: 'drained', stateReason: reason, stateBy: 'farm', stateAt: now }),
      },
    });
    const subject = `node:${nodeId}`;
    if (node.approvedInventory === null) {
      const why = 'an admin registered it: what it reports first is taken for approved';
      await note(tx, { actor: 'farm', deed: 'nodes.approve', subject, reason: why });
    }
    if (isDrained) await note(tx, { actor: 'farm', deed: 'nodes.drain', subject, reason });
    return { state: isDrained ? 'drained' : node.state, faults };
  });

/** A node that is there and speaks a protocol that the farm does not. */
export const heardIncompatible = async (
  db: Connection,
  nodeId: string,
  { program, protocol }: { program: string | null; protocol: number },
): Promise<void> => {
  await db.node.updateMany({ where: { nodeId }, data: { program, protocol, seenAt: new Date() } });
};

/** A token of the node was refused for its time: its clock is wrong, or somebody sends an old one again. */
export const clockRefused = async (db: Connection, nodeId: string, offsetSeconds: number): Promise<void> => {
  const data = { clockOffsetSeconds: offsetSeconds, clockRefusedAt: new Date() };
  await db.node.updateMany({ where: { nodeId }, data });
};
