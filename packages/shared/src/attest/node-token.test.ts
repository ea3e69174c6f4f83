import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { claimsFault, emptySha256, type NodeClaims, nodeIdOf } from './node-token.ts';

const now = 1_700_000_000;
const request = { method: 'POST', path: '/api/v1/runs/a/report?x=1', bodySha256: emptySha256 };
const claims: NodeClaims = {
  ...request,
  nodeId: '0123456789abcdef',
  nonce: 'n'.repeat(22),
  iat: now,
  exp: now + 60,
};

test('fitting claims have no fault', () => {
  assert.equal(claimsFault(claims, request, now), null);
  assert.equal(claimsFault(claims, request, now - 30), null, 'a node 30 s ahead');
  assert.equal(claimsFault(claims, request, now + 90), null, 'a node 30 s behind, at the end of its token');
});

test('each claim is held against the request', () => {
  const cases: [Partial<NodeClaims>, RegExp][] = [
    [{ method: 'GET' }, /is for GET, not POST/],
    [{ path: '/api/v1/runs/b/report?x=1' }, /runs\/b/],
    [{ path: '/api/v1/runs/a/report' }, /not \/api\/v1\/runs\/a\/report\?x=1/],
    [{ bodySha256: '0'.repeat(64) }, /body/],
    [{ exp: now + 61 }, /wants to live 61 s/],
    [{ iat: now + 40, exp: now + 100 }, /40 s ahead of the farm's clock/],
    [{ iat: now - 200, exp: now - 140 }, /200 s behind the farm's clock/],
  ];
  for (const [change, message] of cases) {
    assert.match(String(claimsFault({ ...claims, ...change }, request, now)), message);
  }
});

test('a node is named by its key', () => {
  // The example key of RFC 8410 §10.1; the digest was taken with openssl.
  const pem =
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n';
  assert.equal(nodeIdOf(createPublicKey(pem)), 'a1e9156054e04fac');
  assert.match(nodeIdOf(generateKeyPairSync('ed25519').publicKey), /^[0-9a-f]{16}$/);
});
