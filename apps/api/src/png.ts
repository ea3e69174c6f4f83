// Whether bytes are what a browser may be told is a PNG. They come from a node, which may be hostile: what does not begin as a small
// picture does is never shown. Source: PNG (third edition) §5.2, §11.2.1.

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Recovered triggers are as large as a model's input. */
const mostPixelsASide = 4_096;

/** The signature, a whole first chunk IHDR, and 1 to 4,096 pixels a side. */
export function isPicture(bytes: Buffer): boolean {
  if (bytes.length < 33 || !bytes.subarray(0, 8).equals(signature)) return false;
  if (bytes.readUInt32BE(8) !== 13 || bytes.toString('latin1', 12, 16) !== 'IHDR') return false;
  const sides = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  return sides.every((side) => side >= 1 && side <= mostPixelsASide);
}
