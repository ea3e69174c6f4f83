// Takes a given number of bytes at a time from a stream.
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** So many bytes, fewer only at the end. They are the caller's until the next call. */
  async take(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let held = this.#rest.length;
    if (held > 0) parts.push(this.#rest);
    while (held < bytes) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      parts.push(value);
      held += value.length;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    this.#rest = all.subarray(bytes);
    return all.subarray(0, bytes);
  }
}
