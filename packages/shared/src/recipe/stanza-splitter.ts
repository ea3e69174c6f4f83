// Cuts a stream of deb822 text (a 50 MB Sources index in chunks of any size) into stanzas without holding the whole or
// looking at any character twice. Reading fields is left to parseDeb822, so a reader that wants one field pays for one.
import { Problem } from '../wire/problems.ts';

/** One stanza as text, its lines joined by `\n`, and the number of its first line in the stream. */
export interface StanzaText {
  line: number;
  text: string;
}

export interface SplitterLimits {
  /** UTF-16 units of one stanza, comments included. */
  stanzaLength: number;
}

/** The longest stanza of Debian's Sources indices is some 300 kB. */
const defaultLimits: SplitterLimits = { stanzaLength: 8_388_608 };

/** Feed with `push`, then `end`; each returns the stanzas that became whole. Throws Problem `invalid-deb822` over the limit. */
export class StanzaSplitter {
  private readonly limits: SplitterLimits;
  private readonly file: string;
  private partial = '';
  private lines: string[] = [];
  private length = 0;
  private firstLine = 0;
  private lineNumber = 0;

  constructor(file: string, limits: SplitterLimits = defaultLimits) {
    this.file = file;
    this.limits = limits;
  }

  push(chunk: string): StanzaText[] {
    const out: StanzaText[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf('\n', start);
      if (end < 0) break;
      // V8 joins strings lazily, so a line that comes in many chunks is not copied again and again.
      this.take(this.partial + chunk.slice(start, end), out);
      this.partial = '';
      start = end + 1;
    }
    this.partial += chunk.slice(start);
    this.refuseOver(this.length + this.partial.length);
    return out;
  }

  /** The last stanza, where the text does not end with an empty line. */
  end(): StanzaText[] {
    const out: StanzaText[] = [];
    if (this.partial !== '') this.take(this.partial, out);
    this.partial = '';
    this.flush(out);
    return out;
  }

  private take(line: string, out: StanzaText[]): void {
    this.lineNumber++;
    if (/^[ \t\r]*$/.test(line)) {
      this.flush(out);
      return;
    }
    if (this.lines.length === 0) this.firstLine = this.lineNumber;
    this.lines.push(line);
    this.length += line.length + 1;
    this.refuseOver(this.length);
  }

  private flush(out: StanzaText[]): void {
    // Comments alone are no stanza.
    if (this.lines.some((line) => !line.startsWith('#'))) {
      out.push({ line: this.firstLine, text: this.lines.join('\n') });
    }
    this.lines = [];
    this.length = 0;
  }

  private refuseOver(length: number): void {
    if (length <= this.limits.stanzaLength) return;
    throw new Problem(
      'invalid-deb822',
      `${this.file}:${this.lineNumber + 1}: a stanza is longer than ${this.limits.stanzaLength} characters`,
      'the file is no deb822 index, or it is damaged: fetch it again',
    );
  }
}
