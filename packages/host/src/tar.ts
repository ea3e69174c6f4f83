// Unpacks a tar stream that nobody vouches for: no path outside the folder, no device, no setuid, no owner, and limits on
// count and bytes. Symbolic links are made last, so that no file can be written through one.
import { createWriteStream } from 'node:fs';
import { link, lstat, mkdir, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '@retraind/shared/wire/problems';
import { extract, type Header } from 'tar-stream';

export interface TarLimits {
  entries: number;
  /** Sum over all files. */
  bytes: number;
}

export const tarLimits: TarLimits = { entries: 500_000, bytes: 64 * 1024 ** 3 };

const bad = (detail: string): Problem =>
  new Problem('invalid-archive', detail, 'The archive is refused; nothing of it is used.');

/** `./usr/x/` → `usr/x`; '' for the root itself. Problem `invalid-archive` where it leaves the folder. */
const innerPath = (name: string): string => {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..') || name.includes('\0') || name.length > 4_096) {
    throw bad(`a path leaves the folder: ${JSON.stringify(name.slice(0, 200))}`);
  }
  return parts.join('/');
};

/** Where a link points, as text for symlink(2): absolute ones are taken from the folder's root, as in a chroot. */
const linkText = (path: string, target: string): string => {
  const from = posix.dirname(`/${path}`);
  const absolute = posix.resolve(from, target);
  const climbs = target.startsWith('/') ? 0 : target.split('/').filter((part) => part === '..').length;
  if (climbs > from.split('/').filter(Boolean).length)
    throw bad(`${path} links to ${target}, outside the folder`);
  return posix.relative(from, absolute) || '.';
};

/** Unpacks into `folder`, which must exist and be empty. Problems `invalid-archive`, `too-large`. */
export const unpackTar = async (
  stream: Readable,
  folder: string,
  limits: TarLimits = tarLimits,
): Promise<void> => {
  const links: { path: string; target: string }[] = [];
  const linked = new Set<string>();
  let entries = 0;
  let bytes = 0;

  const take = async (header: Header, body: Readable): Promise<void> => {
    if (++entries > limits.entries)
      throw new Problem('too-large', `more than ${limits.entries} files in an archive`);
    const path = innerPath(header.name);
    for (let above = path; above !== '' && above !== '.'; above = posix.dirname(above)) {
      if (linked.has(above)) throw bad(`${path} lies behind a symbolic link`);
    }
    const target = join(folder, path);
    const mode = (header.mode ?? 0o644) & 0o755;
    switch (header.type) {
      case 'directory':
        await mkdir(target, { recursive: true, mode: 0o755 });
        break;
      case 'symlink':
        if (path === '') throw bad('the root is a symbolic link');
        linked.add(path);
        links.push({ path, target: header.linkname ?? '' });
        break;
      case 'link': {
        const source = join(folder, innerPath(header.linkname ?? ''));
        if (!(await lstat(source).catch(() => null))?.isFile())
          throw bad(`${path} is a hard link to no file`);
        await mkdir(dirname(target), { recursive: true });
        await link(source, target);
        break;
      }
      case 'file':
      case 'contiguous-file':
        bytes += header.size ?? 0;
        if (bytes > limits.bytes)
          throw new Problem('too-large', `an archive holds more than ${limits.bytes} bytes`);
        await mkdir(dirname(target), { recursive: true });
        await pipeline(body, createWriteStream(target, { flags: 'wx', mode: mode | 0o400 }));
        return;
      default:
        throw bad(`${path} is a ${header.type}`);
    }
    body.resume();
  };

  const reader = extract();
  reader.on('entry', (header, body, next) => {
    // The reader's own error tells; the body of the entry at hand is destroyed with it.
    body.on('error', () => {});
    take(header, body as unknown as Readable).then(() => next(), next);
  });
  try {
    await pipeline(stream, reader);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw bad(error instanceof Error ? error.message : String(error));
  }
  for (const { path, target } of links) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(linkText(path, target), join(folder, path));
  }
};
