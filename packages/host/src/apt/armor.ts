// ASCII armour of OpenPGP public keys (RFC 9580 §6): a `.sources` stanza carries its key inline only in this form, and the
// machine's keyrings are mostly binary. Only the armour is made here; nothing about the key is judged.

const begin = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const end = '-----END PGP PUBLIC KEY BLOCK-----';

/** CRC-24 of RFC 9580 §6.1.1, as gpgv of older releases still wants it. */
const crc24 = (bytes: Uint8Array): number => {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
};

/** One armoured block of the packets. */
export const armoured = (packets: Uint8Array): string => {
  const crc = crc24(packets);
  const sum = Buffer.from([crc >> 16, (crc >> 8) & 255, crc & 255]).toString('base64');
  const lines =
    Buffer.from(packets)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [begin, '', ...lines, `=${sum}`, end].join('\n');
};

/** The packets of a keyring file, binary or armoured (each block of it). */
export const packetsOf = (file: Uint8Array): Uint8Array => {
  const text = Buffer.from(file).toString('latin1');
  if (!text.includes(begin)) return file;
  const blocks = [...text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----([\s\S]*?)-----END PGP/g)];
  return Buffer.concat(
    blocks.map(([, block]) => {
      const body = block!
        .split(/\r?\n\r?\n/)
        .slice(1)
        .join('\n');
      const lines = body.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('='));
      return Buffer.from(lines.join(''), 'base64');
    }),
  );
};
