// Nodes: who they are, enrolling one, and what a node says of itself.
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as lists from '@retraind/prisma/store/lists';
import * as nodes from '@retraind/prisma/store/nodes';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import { acceleratorsOf } from '@retraind/shared/gpu/device';
import { NodeId, NodeInventory } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { Node, NodeRequest } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, answersNothing, bearer, nodeKey } from '../route.ts';
import { nodeView } from '../views/node.ts';

export function nodeRoutes(app: App, farm: Farm): void {
  const { db } = farm;

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
        summary: 'A node',
        params: Type.Object({ nodeId: NodeId }),
        response: answers(Node, 'The node.'),
      },
    },
    (request) => readNode(farm, request.params.nodeId),
  );

  app.post(
    '/api/v1/nodes',
    {
      preHandler: needsRight(db, 'nodes.govern'),
      schema: {
        tags: ['nodes'],
        summary:
          'Enrol and approve a node by its public key; again: the new description, and an end of its drain',
        security: bearer,
        body: NodeRequest,
        response: answersCreated(Node, 'The node was known.'),
      },
    },
    async (request, reply) => {
      const { nodeId, publicKey } = request.body;
      const key = readPublicKey(publicKey);
      if (nodeIdOf(key) !== nodeId) {
        throw new Problem(
          'invalid-request',
          `\`body.nodeId\` is not that of the key, which is ${nodeIdOf(key)}.`,
          'A node is named by the first 16 hex digits of sha256 over its key (SPKI, DER).',
        );
      }
      const known = await nodes.byId(db, nodeId);
      const pem = key.export({ type: 'spki', format: 'pem' }).toString();
      await nodes.register(db, { ...request.body, publicKey: pem }, request.actor);
      reply.code(known === null ? 201 : 200).header('location', `/api/v1/nodes/${nodeId}`);
      return readNode(farm, nodeId);
    },
  );
}

/** The node's side. */
export function nodeSelfRoutes(scope: App, { db }: Farm): void {
  scope.post(
    '/api/v1/nodes/self',
    {
      schema: {
        tags: ['nodes'],
        summary: 'A node says what it has; a sign of life',
        security: nodeKey,
        body: NodeInventory,
        response: answersNothing('Noted.'),
      },
    },
    async (request, reply) => {
      const { devices } = request.body;
      await nodes.seen(db, request.nodeId, {
        accelerators: acceleratorsOf(devices),
        inventory: request.body,
      });
      return reply.code(204).send(undefined);
    },
  );
}

export async function readNodes({ db }: Farm): Promise<Node[]> {
  const [all, leased] = await Promise.all([nodes.list(db), lists.leasedRuns(db)]);
  const now = new Date();
  return all.map((node) => nodeView(node, leased, now));
}

async function readNode({ db }: Farm, nodeId: string): Promise<Node> {
  const [node, leased] = await Promise.all([nodes.byId(db, nodeId), lists.leasedRuns(db)]);
  if (node === null) throw new Problem('not-found', `There is no node ${nodeId}.`);
  return nodeView(node, leased, new Date());
}

function readPublicKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519' && !/PRIVATE/.test(pem)) return key;
  } catch {
    // Told below.
  }
  throw new Problem(
    'invalid-request',
    '`body.publicKey` is no ed25519 public key in PEM.',
    'Print it with: openssl pkey -in KEY -pubout',
  );
}
