// Room for decoded data that has no random access of its own (gzip, deflate, CSV): a file without a name in TMPDIR, else
// the system's temporary folder. It is unlinked as soon as it is open, so it goes when the process does, however that ends.
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecipeFault } from '../fault.ts';
import { type ByteSource, descriptorSource } from './byte-source.ts';

export interface Scratch {
  write(bytes: Uint8Array): void;
  /** Ends writing: the file as a source, which owns it from now on. */
  source(): ByteSource;
  /** Drops the file. */
  close(): void;
}

const roomFault = (path: string, what: string): RecipeFault =>
  new RecipeFault(
    `${path}: ${what} in ${tmpdir()}, where it is decoded`,
    'set TMPDIR to a folder with more room, or ship the file so that it can be read where it lies (plain IDX, npy, safetensors)',
  );

/** A new scratch file for the contents of `path`, `bytes` long (0: not known): refused at once where they cannot fit. */
export function scratchFile(path: string, bytes = 0): Scratch {
  const folder = tmpdir();
  let fd: number;
  try {
    const { bavail, bsize } = statfsSync(folder);
    if (bytes > bavail * bsize) {
      throw roomFault(path, `needs ${bytes} bytes, but ${bavail * bsize} are free`);
    }
    const own = mkdtempSync(join(folder, 'retrain-data-'));
    try {
      fd = openSync(join(own, 'scratch'), 'wx+', 0o600);
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof RecipeFault) throw error;
    throw roomFault(path, `no file can be made (${(error as NodeJS.ErrnoException).code})`);
  }
  let at = 0;
  return {
    write(content) {
      try {
        for (let done = 0; done < content.length; ) {
          done += writeSync(fd, content, done, content.length - done, at + done);
        }
      } catch (error) {
        throw roomFault(path, `no more can be written (${(error as NodeJS.ErrnoException).code})`);
      }
      at += content.length;
    },
    source: () => descriptorSource(path, fd),
    close: () => closeSync(fd),
  };
}
