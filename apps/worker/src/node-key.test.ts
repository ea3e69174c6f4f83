import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadNodeKey } from './node-key.ts';

test('a node key is made once, private, and read again', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'node-key-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'node', 'key.pem');
  const made = loadNodeKey(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, 'node')), ['key.pem'], 'no draft is left');
  assert.equal(loadNodeKey(path).nodeId, made.nodeId);
  assert.match(made.publicKeyPem, /^-----BEGIN PUBLIC KEY-----/);
});

test('a key file that is open, broken or of another kind is refused with the cure', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'node-key-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'key.pem');
  loadNodeKey(path);
  chmodSync(path, 0o644);
  assert.throws(() => loadNodeKey(path), { code: 'invalid-config', hint: /chmod 600/ });
  chmodSync(path, 0o600);
  writeFileSync(path, 'no key');
  assert.throws(() => loadNodeKey(path), { code: 'invalid-config', detail: /no private key/ });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  writeFileSync(path, rsa.export({ type: 'pkcs8', format: 'pem' }));
  assert.throws(() => loadNodeKey(path), { code: 'invalid-config', detail: /no ed25519 key/ });
});
