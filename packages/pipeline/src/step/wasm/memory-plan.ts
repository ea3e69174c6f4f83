// Places blocks that are needed for a while only, so that blocks of different times share memory.

export interface Block {
  bytes: number;
  /** First and last moment at which it is needed. */
  from: number;
  to: number;
}

/** XNNPACK reads up to 16 bytes past a tensor's end; whole cache lines serve SIMD best. */
const line = 64;
export const padded = (bytes: number): number => Math.ceil((bytes + 16) / line) * line;

/** Offsets of the blocks, multiples of 64, and how many bytes all of them take. Big ones first, each as low as it fits. */
export function plan(blocks: readonly Block[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(blocks.length).fill(0);
  const order = blocks.map((_, i) => i).sort((a, b) => blocks[b]!.bytes - blocks[a]!.bytes || a - b);
  // By offset.
  const placed: { from: number; to: number; start: number; end: number }[] = [];
  let bytes = 0;
  for (const i of order) {
    const { from, to, bytes: size } = blocks[i]!;
    let start = 0;
    for (const other of placed) {
      if (other.to < from || other.from > to) continue;
      if (start + padded(size) <= other.start) break;
      start = Math.max(start, other.end);
    }
    const end = start + padded(size);
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, { from, to, start, end });
    offsets[i] = start;
    bytes = Math.max(bytes, end);
  }
  return { offsets, bytes };
}
