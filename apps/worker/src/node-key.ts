// The node's own key: ed25519, PKCS #8 PEM, readable by its owner only, made on the first start and kept for good. A node is
// known to the farm by this key and nothing else, so a lost file is a new node.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { nodeIdOf } from '@retraind/shared/attest/node-token';
import { Problem } from '@retraind/shared/wire/problems';

export interface NodeKey {
  nodeId: string;
  privateKey: KeyObject;
  /** SubjectPublicKeyInfo, for `POST /api/v1/nodes`. */
  publicKeyPem: string;
}

/** Reads the key at `path`; makes it first where there is none. */
export function loadNodeKey(path: string): NodeKey {
  try {
    return readKey(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  makeKey(path);
  return readKey(path);
}

function readKey(path: string): NodeKey {
  const pem = readFileSync(path, 'utf8');
  const mode = statSync(path).mode & 0o077;
  if (mode !== 0) {
    throw new Problem(
      'invalid-config',
      `The node key ${path} can be read by others than its owner.`,
      `Type: chmod 600 ${path}; if others could log in here, delete it and enrol the node anew.`,
    );
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw new Problem('invalid-config', `${path} holds no private key.`, wantedForm, { cause });
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new Problem('invalid-config', `${path} is no ed25519 key.`, wantedForm);
  }
  const publicKey = createPublicKey(privateKey);
  return {
    nodeId: nodeIdOf(publicKey),
    privateKey,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

const wantedForm =
  'Delete the file, and one is made at the next start; or: openssl genpkey -algorithm ed25519.';

/** Two slots of one node may start together: link() lets exactly one key win, and never leaves half a file. */
function makeKey(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.new`;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const file = openSync(draft, 'w', 0o600);
  try {
    writeFileSync(file, pem);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}
