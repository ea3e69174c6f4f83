// Nodes: machines that run workers, known by the key that they sign with.
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import type { NodeState } from '@retraind/shared/node/states';
import { Problem } from '@retraind/shared/wire/problems';
import type { Connection, Database } from '../client.ts';
import type { Node as NodeRow, Prisma } from '../generated/client.ts';
import { note } from './audit.ts';

export type Node = Omit<NodeRow, 'state' | 'accelerators' | 'inventory'> & {
  state: NodeState;
  accelerators: Accelerator[];
  inventory: Record<string, unknown>;
};

export interface NodeToRegister {
  /** 16 hex digits of the key's sha256: the caller has checked that it is this key's. */
  nodeId: string;
  /** SPKI, PEM. */
  publicKey: string;
  name: string;
  class: string;
  slots: number;
  accelerators: Accelerator[];
}

export const nodeOf = (row: NodeRow): Node => row as unknown as Node;

/**
 * Registers and approves a node. Registering it again takes the new description, ends a drain and forgets its faults: the
 * person who does it says that the machine is well.
 */
export const register = (db: Database, node: NodeToRegister, actor: string): Promise<Node> =>
  db.$transaction(async (tx) => {
    const { nodeId, publicKey, ...description } = node;
    const data = {
      ...description,
      accelerators: description.accelerators as unknown as Prisma.InputJsonArray,
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
    if (row.publicKey !== publicKey) throw new Problem('conflict', `Node ${nodeId} has another key`);
    await note(tx, { actor, deed: 'nodes.register', subject: `node:${nodeId}` });
    return nodeOf(row);
  });

export const byId = async (db: Connection, nodeId: string): Promise<Node | null> => {
  const row = await db.node.findUnique({ where: { nodeId } });
  return row && nodeOf(row);
};

export const list = async (db: Connection): Promise<Node[]> =>
  (await db.node.findMany({ orderBy: { nodeId: 'asc' } })).map(nodeOf);

/** What a node says of itself; absent fields stay as they were. */
export interface SelfDescription {
  class?: string;
  accelerators?: Accelerator[];
  inventory?: Record<string, unknown>;
}

/** A sign of life. Throws Problem `not-found` for a node that nobody registered. */
export const seen = async (db: Connection, nodeId: string, self: SelfDescription = {}): Promise<void> => {
  const data = { ...self, seenAt: new Date() } as Prisma.NodeUpdateManyMutationInput;
  const { count } = await db.node.updateMany({ where: { nodeId }, data });
  if (count === 0) throw new Problem('not-found', `There is no node ${nodeId}`, 'register it first');
};
