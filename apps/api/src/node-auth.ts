// Nodes prove each request by a token that their ed25519 key signed over method, path, body digest and a nonce
// (attest/node-token). The signature is checked before the body is read, the body's digest after.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Database } from '@retraind/prisma/client';
import * as nodes from '@retraind/prisma/store/nodes';
import * as nonces from '@retraind/prisma/store/nonces';
import {
  claimsFault,
  clockFault,
  clockSkewSeconds,
  emptySha256,
  NodeClaims,
} from '@retraind/shared/attest/node-token';
import { Problem } from '@retraind/shared/wire/problems';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { compactVerify } from 'jose';
import { Value } from 'typebox/value';

declare module 'fastify' {
  interface FastifyRequest {
    /** sha256 of the body's bytes as they came. */
    bodySha256: string;
    nodeClaims: NodeClaims | null;
  }
}

const longestToken = 4_096;
/** How often dead nonces are forgotten. */
const forgetMilliseconds = 60_000;
/** A node whose clock is wrong asks often: what the farm notes of it, it notes so often. */
const clockNoteMilliseconds = 60_000;

/** Makes every route of this scope one that only a node may call. */
export function needsNode(scope: FastifyInstance, db: Database): void {
  let forgetAt = performance.now() + forgetMilliseconds;
  const keys = new Map<string, KeyObject>();
  const clockNotedAt = new Map<string, number>();
  digestBodies(scope);

  scope.addHook('onRequest', async (request) => {
    const claims = await readToken(request, db, keys);
    request.nodeClaims = claims;
    const now = Date.now() / 1_000;
    const offset = clockFault(claims, now);
    if (offset !== null && now * 1_000 - (clockNotedAt.get(claims.nodeId) ?? 0) > clockNoteMilliseconds) {
      clockNotedAt.set(claims.nodeId, now * 1_000);
      await nodes.clockRefused(db, claims.nodeId, offset);
    }
    requireFresh(request, claims, now);
    if (!(await nonces.take(db, claims.nodeId, claims.nonce, deadAt(claims)))) {
      throw new Problem(
        'unauthorized',
        'The token was used before.',
        'Each try needs a token with a new nonce.',
      );
    }
    request.nodeId = claims.nodeId;
    if (performance.now() < forgetAt) return;
    forgetAt = performance.now() + forgetMilliseconds;
    // The clocks of two apis may differ a little; a few rows more do no harm.
    await nonces.forget(db, new Date(Date.now() - forgetMilliseconds));
  });

  scope.addHook('preValidation', async (request) => requireBody(request));
}

const deadAt = ({ exp }: NodeClaims): Date => new Date((exp + clockSkewSeconds) * 1_000);

/** Bodies of this scope are JSON whose digest is kept, for the token binds it. */
export function digestBodies(scope: FastifyInstance): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.decorateRequest('bodySha256', emptySha256);
  scope.decorateRequest('nodeClaims', null);
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    request.bodySha256 = createHash('sha256').update(body).digest('hex');
    parseJson(request, body.toString('utf8'), done);
  });
}

/** Holds claims against the request's head and the time; the body is held once it is there. */
export function requireFresh(request: FastifyRequest, claims: NodeClaims, now: number): void {
  const head = { method: request.method, path: request.url, bodySha256: claims.bodySha256 };
  const fault = claimsFault(claims, head, now);
  if (fault !== null)
    throw new Problem('unauthorized', fault, 'Send a fresh token for exactly this request.');
}

export function requireBody(request: FastifyRequest): void {
  if (request.nodeClaims?.bodySha256 !== request.bodySha256) {
    throw new Problem('unauthorized', 'The body is not the one that the token was made for.');
  }
}

/** Throws Problem `unauthorized` unless the key made the token. */
export async function requireSignature(token: string, key: KeyObject): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: ['EdDSA', 'Ed25519'] });
  } catch (cause) {
    throw new Problem('unauthorized', 'The token is not signed by the key of this node.', undefined, {
      cause,
    });
  }
}

/** The token of a request, and its claims before the signature is checked: they only say whose key to check it by. */
export function unverifiedToken(request: FastifyRequest): { token: string; claims: NodeClaims } {
  const token = request.headers.authorization?.match(/^Node ([\w.-]+)$/)?.[1];
  if (token === undefined || token.length > longestToken) {
    throw new Problem(
      'unauthorized',
      'This address is for nodes, and the request carries no node token.',
      'Send `Authorization: Node JWT`, signed with the node’s key.',
    );
  }
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    if (Value.Check(NodeClaims, claims)) return { token, claims };
  } catch {
    // Told below.
  }
  throw new Problem('unauthorized', 'The node token has not the claims that it should have.');
}

/** The claims of a request's token, its signature checked by the key of an approved node. */
async function readToken(
  request: FastifyRequest,
  db: Database,
  keys: Map<string, KeyObject>,
): Promise<NodeClaims> {
  const { token, claims } = unverifiedToken(request);
  const node = await nodes.byId(db, claims.nodeId);
  if (node === null) {
    throw new Problem(
      'unauthorized',
      `Node ${claims.nodeId} is not enrolled here.`,
      'On the machine: retrain node enrol; then an admin approves it.',
    );
  }
  let key = keys.get(node.publicKey);
  if (key === undefined) {
    key = createPublicKey(node.publicKey);
    keys.set(node.publicKey, key);
  }
  await requireSignature(token, key);
  // Told to nobody but who holds the key.
  if (node.state === 'retired') {
    throw new Problem(
      'forbidden',
      `Node ${claims.nodeId} was retired (${node.stateReason}): its key is revoked for good.`,
      'A machine that is to serve again needs a new key: delete its key file, then `retrain node enrol`.',
    );
  }
  if (node.state === 'pending') {
    throw new Problem(
      'forbidden',
      `Node ${claims.nodeId} waits to be approved by an admin.`,
      `An admin looks at its key and inventory, then: retrain node approve ${claims.nodeId}`,
    );
  }
  return claims;
}
