// Reads the list of a source tarball before anything is unpacked: a member that leaves its folder, a device, a setuid file
// is refused with its name. dpkg-source then unpacks in the sandbox; this is what makes the error clear.
import { basename } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '@retraind/shared/wire/problems';
import { extract, type Header } from 'tar-stream';
import { decompressed } from '../compression.ts';

export interface TarballLimits {
  entries: number;
  /** Decompressed, all together. */
  bytes: number;
}

export const tarballLimits: TarballLimits = { entries: 1_000_000, bytes: 64 * 2 ** 30 };

const plainKinds = new Set([
  'file',
  'contiguous-file',
  'directory',
  'symlink',
  'link',
  'pax-header',
  'pax-global-header',
]);

const faultOf = ({ name, type, linkname, mode = 0 }: Header): string | null => {
  const leaves = (path: string): boolean =>
    path.startsWith('/') || path.split('/').includes('..') || path.includes('\0');
  if (leaves(name)) return 'would be unpacked outside of the source tree';
  if (!plainKinds.has(type ?? 'file'))
    return `is a ${type}; a source package holds files, folders and links only`;
  if (type === 'link' && leaves(linkname ?? ''))
    return `is a hard link to ${linkname}, outside of the source tree`;
  if (type !== 'symlink' && (mode & 0o6000) !== 0)
    return `has the mode ${mode.toString(8)}, with setuid or setgid`;
  return null;
};

/** Problem `invalid-archive` that names tarball and member, or `too-large`. */
export const checkTarball = async (path: string, limits: TarballLimits = tarballLimits): Promise<void> => {
  const file = basename(path);
  const source = await decompressed(path);
  const counter = new PassThrough();
  const reader = extract();
  let entries = 0;
  let bytes = 0;
  counter.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.bytes)
      counter.destroy(new Problem('too-large', `${file} holds more than ${limits.bytes} bytes.`));
  });
  reader.on('entry', (header, body, next) => {
    // A refusal destroys the member's stream too, which would else throw for want of a listener.
    body.on('error', () => {});
    const fault = faultOf(header);
    if (fault !== null) {
      next(
        new Problem(
          'invalid-archive',
          `${file}: member ${JSON.stringify(header.name)} ${fault}.`,
          'Nothing of it was unpacked. Make the tarball anew.',
        ),
      );
      return;
    }
    if (++entries > limits.entries) {
      next(new Problem('too-large', `${file} has more than ${limits.entries} members.`));
      return;
    }
    body.resume();
    body.once('end', () => next());
  });
  try {
    await pipeline(source.stream, counter, reader);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      'invalid-archive',
      `${file} cannot be read: ${(error as Error).message}.`,
      'Fetch it again.',
      { cause: error },
    );
  } finally {
    source.close();
  }
};
