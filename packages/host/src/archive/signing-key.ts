// The key of an archive that the farm signs itself: made once, kept as a file only its owner may read. An ed25519 key in the
// form of RFC 9580's version 4 "legacy" algorithm, which gpgv 2.2 (bookworm) and sqv (trixie) both check.
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createCleartextMessage, generateKey, type PrivateKey, readPrivateKey, sign } from 'openpgp';
import { replaceFile } from '../replace-file.ts';

export interface SigningKey {
  /** Upper-case hex. */
  fingerprint: string;
  publicKeyArmored: string;
  /** A clear-signed message (RFC 9580 §7); every line of `text` must be without trailing blanks. */
  clearSign(text: string): Promise<string>;
}

/** openpgp.js writes CRLF; apt's `.sources` text and InRelease are lines of LF. */
const lineFeeds = (text: string): string => text.replaceAll('\r\n', '\n');

const keyOf = (privateKey: PrivateKey): SigningKey => ({
  fingerprint: privateKey.getFingerprint().toUpperCase(),
  publicKeyArmored: lineFeeds(privateKey.toPublic().armor()),
  clearSign: async (text) => {
    const message = await createCleartextMessage({ text });
    return lineFeeds(await sign({ message, signingKeys: privateKey }));
  },
});

/** Reads the key at `path`, or makes it (mode 0600). */
export const openSigningKey = async (path: string): Promise<SigningKey> => {
  if (!existsSync(path)) {
    const made = await generateKey({
      type: 'ecc',
      curve: 'ed25519Legacy',
      userIDs: [{ name: 'Retraind local archive' }],
      format: 'object',
    });
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, made.privateKey.armor(), 0o600);
  }
  return keyOf(await readPrivateKey({ armoredKey: await readFile(path, 'utf8') }));
};
