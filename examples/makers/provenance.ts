// The seed with which the shipped model of an example was trained: derived, so that nobody picked it.
import { createHash } from 'node:crypto';

/** 1 + (first four bytes, big-endian, of the sha256 of `shipped/<source>/<version>`) mod (2^31 - 2). */
export function shippedSeed(source: string, version: string): number {
  const digest = createHash('sha256').update(`shipped/${source}/${version}`).digest();
  return 1 + (digest.readUInt32BE(0) % (2 ** 31 - 2));
}
