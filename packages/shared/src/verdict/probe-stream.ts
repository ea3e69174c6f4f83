// Random numbers that anybody can redo with sha256 and a pencil: block i of a stream is sha256 of the ASCII text
// `<hex of sha256("<jobSeed>/probes")>/<label>/<i>`, read as eight big-endian 32-bit numbers, i from 0.
import { createHash } from 'node:crypto';

export class ProbeStream {
  readonly #prefix: string;
  #block = new Uint32Array(0);
  #next = 0;
  #counter = 0;
  #spareNormal: number | null = null;

  constructor(jobSeed: string, label: string) {
    const key = createHash('sha256').update(`${jobSeed}/probes`).digest('hex');
    this.#prefix = `${key}/${label}/`;
  }

  /** The next 32 bits as an integer in 0..2^32-1. */
  bits(): number {
    if (this.#next === this.#block.length) {
      const digest = createHash('sha256').update(`${this.#prefix}${this.#counter}`).digest();
      this.#block = Uint32Array.from({ length: 8 }, (_, i) => digest.readUInt32BE(4 * i));
      this.#counter += 1;
      this.#next = 0;
    }
    const value = this.#block[this.#next]!;
    this.#next += 1;
    return value;
  }

  /** Uniform over the open interval (0, 1): (bits + 1/2) / 2^32. */
  uniform(): number {
    return (this.bits() + 0.5) / 2 ** 32;
  }

  /** Standard normal by Box and Muller (1958); two uniforms make two. */
  normal(): number {
    if (this.#spareNormal !== null) {
      const spare = this.#spareNormal;
      this.#spareNormal = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** `count` distinct integers of 0..size-1 in drawn order (Fisher and Yates, first `count` steps). */
  sample(size: number, count: number): number[] {
    const moved = new Map<number, number>();
    return Array.from({ length: Math.min(count, size) }, (_, i) => {
      const pick = i + Math.floor(this.uniform() * (size - i));
      const chosen = moved.get(pick) ?? pick;
      moved.set(pick, moved.get(i) ?? i);
      return chosen;
    });
  }
}
