// A .deb, unpacked by anybody into any folder: dpkg-deb reads the container, our tar reader writes the files.
import { spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { Problem } from '@retraind/shared/wire/problems';
import { type TarLimits, unpackTar } from '../tar.ts';

/** Unpacks the files of `deb` into an existing folder. Maintainer scripts never run. Problems `invalid-archive`, `too-large`. */
export const extractDeb = async (deb: string, folder: string, limits?: TarLimits): Promise<void> => {
  const child = spawn('dpkg-deb', ['--fsys-tarfile', deb], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 4_000) said += chunk.toString('utf8');
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  ended.catch(() => {});
  try {
    await unpackTar(child.stdout, folder, limits);
    if ((await ended) !== 0) throw new Problem('invalid-archive', `${deb}: ${said.trim()}`);
  } catch (error) {
    child.kill('SIGKILL');
    const broken = error instanceof Problem && error.code === 'invalid-archive' && said !== '';
    throw broken ? new Problem('invalid-archive', `${deb}: ${said.trim()}`) : error;
  }
};

/** As `extractDeb`, into a folder that appears whole or not at all. */
export const unpackDeb = async (deb: string, folder: string, limits?: TarLimits): Promise<void> => {
  const partial = `${folder}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await mkdir(partial, { recursive: true });
  try {
    await extractDeb(deb, partial, limits);
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
};
