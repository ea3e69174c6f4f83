// How a node proves that a request is its own: a JWT signed with its ed25519 key (EdDSA), good for one request only.
// The claims bind method, path with query, and the digest of the body, so that a token seen on the wire opens nothing else;
// the nonce and the short life keep it from being sent twice. Signing and checking are the programs' business (jose).
import { createHash, type KeyObject } from 'node:crypto';
import { type Static, Type } from 'typebox';

/** Longest life of a token in seconds, and how far the clocks of node and farm may lie apart. */
export const tokenLifeSeconds = 60;
export const clockSkewSeconds = 30;

/** The scheme of the Authorization header: `Authorization: Node <JWT>`. */
export const nodeScheme = 'Node';

export const NodeClaims = Type.Object({
  nodeId: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  method: Type.String({ pattern: '^[A-Z]{3,7}$' }),
  /** Path with query, exactly as sent. */
  path: Type.String({ maxLength: 2_048 }),
  /** sha256 (hex) of the body's bytes; of nothing where there is no body. */
  bodySha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  nonce: Type.String({ pattern: '^[A-Za-z0-9_-]{16,64}$' }),
  /** Seconds since 1970, UTC. */
  iat: Type.Integer(),
  exp: Type.Integer(),
  /** What the node's program speaks (node/protocol); one that tells none is older than that. */
  protocol: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  program: Type.Optional(Type.String({ maxLength: 128 })),
});
export type NodeClaims = Static<typeof NodeClaims>;

/** sha256 of no bytes, for requests without a body. */
export const emptySha256 = createHash('sha256').digest('hex');

/**
 * The name of the node that holds a key: the first 16 hex digits of sha256 over the DER of its SubjectPublicKeyInfo.
 * Of fixed length, so that no node's queue pattern covers another's (DESIGN §2).
 * @param publicKey an ed25519 public key
 */
export function nodeIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

/** How far the clock that made the claims lies ahead of ours, in seconds, where it is too far either way; else null. */
export function clockFault(claims: NodeClaims, nowSeconds: number): number | null {
  const isFar = claims.iat - nowSeconds > clockSkewSeconds || nowSeconds - claims.exp > clockSkewSeconds;
  return isFar ? Math.round(claims.iat - nowSeconds) : null;
}

/** What is wrong with claims for this request at this time, as a sentence; null where they fit it. */
export function claimsFault(
  claims: NodeClaims,
  request: { method: string; path: string; bodySha256: string },
  nowSeconds: number,
): string | null {
  if (claims.exp - claims.iat > tokenLifeSeconds) {
    return `The token wants to live ${claims.exp - claims.iat} s; ${tokenLifeSeconds} s are allowed.`;
  }
  const skew = clockFault(claims, nowSeconds);
  if (skew !== null) {
    const distance = skew > 0 ? `${skew} s ahead of` : `${-skew} s behind`;
    return `The token was made ${distance} the farm's clock: is the node's clock right?`;
  }
  if (claims.method !== request.method) return `The token is for ${claims.method}, not ${request.method}.`;
  if (claims.path !== request.path) return `The token is for ${claims.path}, not ${request.path}.`;
  if (claims.bodySha256 !== request.bodySha256) return 'The body is not the one that the token was made for.';
  return null;
}
