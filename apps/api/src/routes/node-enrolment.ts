// A machine asks to serve. Nobody vouches for it yet: the request proves only that it holds the key that it brings, is bounded in
// size, rate and number, and has no effect until an admin approves it.
import * as deeds from '@retraind/prisma/store/node-deeds';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import { Node, NodeEnrolment } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import { enrolmentLimit } from '../enrolment-limit.ts';
import type { Farm } from '../farm.ts';
import { digestBodies, requireBody, requireFresh, requireSignature, unverifiedToken } from '../node-auth.ts';
import { type App, answersCreated, nodeKey } from '../route.ts';
import { readNode, readPublicKey } from './nodes.ts';

/** An inventory of 256 devices with all their faults. */
const enrolmentBodyBytes = 256 * 1024;
/** A site may bring up a rack at once, behind one address. */
const perMinute = { address: 30, all: 120 };

/** For a scope of its own, as its bodies are digested. A token sent again while it lives asks the same again, which changes nothing. */
export function nodeEnrolmentRoutes(scope: App, farm: Farm): void {
  const { db } = farm;
  const limit = enrolmentLimit(db, perMinute);
  digestBodies(scope);

  scope.post(
    '/api/v1/nodes/enrol',
    {
      bodyLimit: enrolmentBodyBytes,
      schema: {
        tags: ['nodes'],
        summary: 'A machine asks to serve, signed with the key that it brings; an admin approves it or not',
        security: nodeKey,
        body: NodeEnrolment,
        response: answersCreated(Node, 'The node had asked before.'),
      },
      onRequest: async (request) => {
        await limit(request.ip);
        const { claims } = unverifiedToken(request);
        requireFresh(request, claims, Date.now() / 1_000);
        request.nodeClaims = claims;
      },
      preValidation: async (request) => requireBody(request),
    },
    async (request, reply) => {
      const { token, claims } = unverifiedToken(request);
      const { key, pem } = readPublicKey(request.body.publicKey);
      const nodeId = nodeIdOf(key);
      if (claims.nodeId !== nodeId) {
        throw new Problem('unauthorized', `The token is of node ${claims.nodeId}, the key of ${nodeId}.`);
      }
      await requireSignature(token, key);
      const { isNew, node } = await deeds.enrol(db, nodeId, { ...request.body, publicKey: pem });
      request.log.info(
        { ip: request.ip, nodeId, name: node.name, state: node.state, isNew },
        'enrolment asked',
      );
      reply.code(isNew ? 201 : 200).header('location', `/api/v1/nodes/${nodeId}`);
      return readNode(farm, nodeId);
    },
  );
}
