// The end of a log, by which the blame rules judge: so much that a traceback fits, and no more.
const tailLength = 16_384;

export class LogTail {
  #text = '';

  push(text: string): void {
    this.#text += text;
    if (this.#text.length > 4 * tailLength) this.#text = this.#text.slice(-tailLength);
  }

  get text(): string {
    return this.#text.slice(-tailLength);
  }
}
