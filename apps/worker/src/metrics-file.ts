// Follows $RETRAIN_METRICS while the recipe writes it: JSON lines for curves, progress, the engine's name and "try elsewhere".
// The file is the package's: it may be a link, a FIFO, endless or no JSON at all.
import { StringDecoder } from 'node:string_decoder';
import { openPlain } from './confined-path.ts';

const pollMilliseconds = 300;
/** Beyond this the rest is not read; curves of any use are far smaller. */
const limitBytes = 16 * 2 ** 20;
const lineLimit = 65_536;
const chunkBytes = 65_536;

export interface MetricsFacts {
  engine: string | null;
  /** Why the recipe asked to be tried elsewhere; the last one counts. */
  tempfail: string | null;
}

export interface MetricsListener {
  onText: (text: string) => void;
  onProgress: (fraction: number) => void;
  say: (line: string) => void;
}

export class MetricsFile {
  readonly facts: MetricsFacts = { engine: null, tempfail: null };
  readonly #path: string;
  readonly #listener: MetricsListener;
  readonly #decoder = new StringDecoder('utf8');
  #offset = 0;
  #line = '';
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(path: string, listener: MetricsListener) {
    this.#path = path;
    this.#listener = listener;
  }

  start(): void {
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.#reading = this.#read().finally(() => {
        busy = false;
      });
    }, pollMilliseconds);
  }

  /** Reads what is left, once the program has ended. */
  async finish(): Promise<MetricsFacts> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#reading;
    await this.#read();
    if (this.#line !== '') this.#take(this.#line);
    return this.facts;
  }

  async #read(): Promise<void> {
    const file = await openPlain(this.#path);
    if (file === null) return;
    try {
      const buffer = Buffer.alloc(chunkBytes);
      while (this.#offset < limitBytes) {
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, this.#offset);
        if (bytesRead === 0) return;
        this.#offset += bytesRead;
        this.#text(this.#decoder.write(buffer.subarray(0, bytesRead)));
        if (this.#offset >= limitBytes)
          this.#listener.say(`metrics: more than ${limitBytes} bytes; the rest is not read\n`);
      }
    } finally {
      await file.close();
    }
  }

  #text(text: string): void {
    if (text === '') return;
    this.#listener.onText(text);
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(0, lineLimit);
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    if (line.trim() === '' || line.length > lineLimit) return;
    let fact: unknown;
    try {
      fact = JSON.parse(line);
    } catch {
      return;
    }
    if (typeof fact !== 'object' || fact === null) return;
    const { progress, engine, tempfail } = fact as Record<string, unknown>;
    if (typeof progress === 'number' && progress >= 0 && progress <= 1) this.#listener.onProgress(progress);
    if (typeof engine === 'string') this.facts.engine = engine.slice(0, 256);
    if (typeof tempfail === 'string') this.facts.tempfail = tempfail.slice(0, 1_000);
  }
}
