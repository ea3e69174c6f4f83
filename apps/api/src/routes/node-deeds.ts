// What admins do with nodes. Every deed says why, and is kept with who and when.
import type { Database } from '@retraind/prisma/client';
import * as deeds from '@retraind/prisma/store/node-deeds';
import * as nodes from '@retraind/prisma/store/nodes';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import { Node, NodeApproval, NodeLimit, NodeRequest, NodeTagging } from '@retraind/shared/wire/node';
import { Deed } from '@retraind/shared/wire/resources';
import { needsRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, bearer } from '../route.ts';
import { NodePath, readNode, readPublicKey } from './nodes.ts';

type PlainDeed = (db: Database, move: { nodeId: string; actor: string; reason: string }) => Promise<unknown>;

const plainDeeds: [name: string, deed: PlainDeed, summary: string][] = [
  ['drain', deeds.drain, 'Give a node no further run; what it has it ends'],
  ['resume', deeds.resume, 'End a drain or a quarantine, and forget the node’s faults'],
  ['retire', deeds.retire, 'Revoke a node’s key for good; its runs wait again at once'],
];

export function nodeDeedRoutes(app: App, farm: Farm): void {
  const { db } = farm;
  const preHandler = needsRight(db, 'nodes.govern');

  app.post(
    '/api/v1/nodes',
    {
      preHandler,
      schema: {
        tags: ['nodes'],
        summary:
          'Register and approve a node by its public key, with what it reports first; again: the new description, and an end of its drain',
        security: bearer,
        body: NodeRequest,
        response: answersCreated(Node, 'The node was known.'),
      },
    },
    async (request, reply) => {
      const { key, pem } = readPublicKey(request.body.publicKey);
      const nodeId = nodeIdOf(key);
      const known = await nodes.byId(db, nodeId);
      await nodes.register(db, { ...request.body, nodeId, publicKey: pem }, request.actor);
      reply.code(known === null ? 201 : 200).header('location', `/api/v1/nodes/${nodeId}`);
      return readNode(farm, nodeId);
    },
  );

  app.post(
    '/api/v1/nodes/:nodeId/approve',
    {
      preHandler,
      schema: {
        tags: ['nodes'],
        summary: 'Let a node serve, with the inventory that it reports now',
        security: bearer,
        params: NodePath,
        body: NodeApproval,
        response: answers(Node, 'The node.'),
      },
    },
    async ({ params: { nodeId }, body, actor }) => {
      await deeds.approve(db, { ...body, nodeId, actor });
      return readNode(farm, nodeId);
    },
  );

  for (const [name, deed, summary] of plainDeeds) {
    app.post(
      `/api/v1/nodes/:nodeId/${name}`,
      {
        preHandler,
        schema: {
          tags: ['nodes'],
          summary,
          security: bearer,
          params: NodePath,
          body: Deed,
          response: answers(Node, 'The node.'),
        },
      },
      async ({ params: { nodeId }, body: { reason }, actor }) => {
        await deed(db, { nodeId, actor, reason });
        return readNode(farm, nodeId);
      },
    );
  }

  app.post(
    '/api/v1/nodes/:nodeId/tags',
    {
      preHandler,
      schema: {
        tags: ['nodes'],
        summary: 'Set and take back tags of a node; a mandatory one keeps it for work that asks for it',
        security: bearer,
        params: NodePath,
        body: NodeTagging,
        response: answers(Node, 'The node.'),
      },
    },
    async ({ params: { nodeId }, body, actor }) => {
      await deeds.tag(db, { ...body, nodeId, actor });
      return readNode(farm, nodeId);
    },
  );

  app.post(
    '/api/v1/nodes/:nodeId/limit',
    {
      preHandler,
      schema: {
        tags: ['nodes'],
        summary: 'Say how long a run of a node may be; runs that it has are not touched',
        security: bearer,
        params: NodePath,
        body: NodeLimit,
        response: answers(Node, 'The node.'),
      },
    },
    async ({ params: { nodeId }, body, actor }) => {
      await deeds.limit(db, { ...body, nodeId, actor });
      return readNode(farm, nodeId);
    },
  );
}
