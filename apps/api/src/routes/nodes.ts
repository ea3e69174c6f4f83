// Nodes: who they are, and what a node says of itself. What people do with them is node-deeds.ts, how a machine asks to serve
// node-enrolment.ts.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { ofSubject } from '@retraind/prisma/store/audit';
import * as lists from '@retraind/prisma/store/lists';
import * as nodes from '@retraind/prisma/store/nodes';
import { clockSkewSeconds } from '@retraind/shared/attest/node-token';
import { protocolFault } from '@retraind/shared/node/protocol';
import { NodeId } from '@retraind/shared/wire/messages';
import { Node, NodeDetail, NodeReport } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import { Type } from 'typebox';
import type { Farm } from '../farm.ts';
import { type App, answers, answersNothing, nodeKey } from '../route.ts';
import { nodeView } from '../views/node.ts';

export const NodePath = Type.Object({ nodeId: NodeId });
const mostDeeds = 50;

export function nodeRoutes(app: App, farm: Farm): void {
  app.get(
    '/api/v1/nodes',
    {
      schema: {
        tags: ['nodes'],
        summary: 'All nodes, with the runs that they hold',
        response: answers(Type.Object({ items: Type.Array(Node) }), 'The nodes.'),
      },
    },
    async () => ({ items: await readNodes(farm) }),
  );

  app.get(
    '/api/v1/nodes/:nodeId',
    {
      schema: {
        tags: ['nodes'],
        summary: 'A node, with the latest deeds on it',
        params: NodePath,
        response: answers(NodeDetail, 'The node.'),
      },
    },
    (request) => readNode(farm, request.params.nodeId),
  );
}

/** The node's side. */
export function nodeSelfRoutes(scope: App, { db }: Farm): void {
  scope.post(
    '/api/v1/nodes/self',
    {
      logLevel: 'warn',
      // Before the body is held against today's schema: another protocol may have another.
      onRequest: async (request) => {
        const { protocol = 0, program = null } = request.nodeClaims!;
        const fault = protocolFault(protocol, program);
        if (fault === null) return;
        await nodes.heardIncompatible(db, request.nodeId, { program, protocol });
        throw new Problem(
          'conflict',
          `The node gets no runs: ${fault}.`,
          'docs/reference/nodes.md lists protocols.',
        );
      },
      schema: {
        tags: ['nodes'],
        summary: 'A node says what it has and how it is; a sign of life',
        security: nodeKey,
        body: NodeReport,
        response: answersNothing('Noted.'),
      },
    },
    async (request, reply) => {
      const { inventory, cores, memoryBytes, tags, vitals } = request.body;
      const clockOffsetSeconds = (Date.parse(vitals.at) - Date.now()) / 1_000;
      if (Math.abs(clockOffsetSeconds) > clockSkewSeconds * 2) {
        throw new Problem('invalid-request', '`body.vitals.at` is not of now, though the token is.');
      }
      const { state, faults } = await nodes.report(db, request.nodeId, {
        inventory: { ...inventory, cores, memoryBytes },
        tags,
        vitals,
        protocol: request.nodeClaims!.protocol!,
        clockOffsetSeconds,
      });
      if (faults.length > 0)
        request.log.warn({ nodeId: request.nodeId, state, faults }, 'node lacks of its inventory');
      return reply.code(204).send(undefined);
    },
  );
}

export async function readNodes({ db }: Farm): Promise<Node[]> {
  const [all, leased] = await Promise.all([nodes.list(db), lists.leasedRuns(db)]);
  const now = new Date();
  return all.map((node) => nodeView(node, leased, now));
}

export async function readNode({ db }: Farm, nodeId: string): Promise<NodeDetail> {
  const [node, leased, notes] = await Promise.all([
    nodes.byId(db, nodeId),
    lists.leasedRuns(db),
    ofSubject(db, `node:${nodeId}`),
  ]);
  if (node === null) throw new Problem('not-found', `There is no node ${nodeId}.`);
  const deeds = notes.slice(-mostDeeds).reverse();
  return {
    ...nodeView(node, leased, new Date()),
    deeds: deeds.map(({ at, actor, deed, reason }) => ({ at: at.toISOString(), actor, deed, reason })),
  };
}

/** Throws Problem `invalid-request` for anything but an ed25519 public key. */
export function readPublicKey(pem: string): { key: KeyObject; pem: string } {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519' && !/PRIVATE/.test(pem)) {
      return { key, pem: key.export({ type: 'spki', format: 'pem' }).toString() };
    }
  } catch {
    // Told below.
  }
  throw new Problem(
    'invalid-request',
    '`body.publicKey` is no ed25519 public key in PEM.',
    'Print it with: openssl pkey -in KEY -pubout',
  );
}
