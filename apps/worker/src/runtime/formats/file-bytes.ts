// A file read by position: a small window for parsers that go byte by byte, and straight reads for values.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Problem } from '@retraind/shared/wire/problems';
import { ModelFault } from './model-fault.ts';

const windowBytes = 65_536;

export class FileBytes {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;
  readonly #window = Buffer.alloc(windowBytes);
  #start = 0;
  #length = 0;

  /** Opens a plain file; a FIFO or a device is refused without waiting for it. `flags`: beside read only. */
  constructor(path: string, flags = 0) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT')
        throw new Problem('not-found', `${path}: there is no such file`, 'name a model file');
      throw new ModelFault(`cannot be opened (${code})`, 'name a plain file that you may read');
    }
    const found = fstatSync(this.#descriptor);
    this.size = found.size;
    if (!found.isFile()) {
      this.close();
      throw new ModelFault('is no plain file', 'name a model file, not a folder or a device');
    }
  }

  /** Fills `into` with the bytes from `position` on. */
  fill(into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length; ) {
      const got = readSync(this.#descriptor, into, done, into.length - done, position + done);
      if (got === 0) {
        throw new ModelFault(
          `ends at byte ${position + done}, before its header said`,
          'do not write to it while it is read',
        );
      }
      done += got;
    }
  }

  bytes(position: number, length: number): Buffer {
    const into = Buffer.alloc(length);
    this.fill(into, position);
    return into;
  }

  /** One byte, or undefined past the end. */
  byte(position: number): number | undefined {
    if (position >= this.size) return undefined;
    const offset = position - this.#start;
    if (offset >= 0 && offset < this.#length) return this.#window[offset];
    this.#start = position;
    this.#length = Math.min(windowBytes, this.size - position);
    this.fill(this.#window.subarray(0, this.#length), position);
    return this.#window[0];
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
