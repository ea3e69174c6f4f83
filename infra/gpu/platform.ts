// What the wheels' libraries need of a machine: linux x64, glibc 2.27, AVX, and room on the disk.
import { readFileSync, statfsSync } from 'node:fs';
import { diskFault, InstallFault } from './fault.ts';
import type { Kind } from './parts.ts';

/** Largest bytes at one time, with a wheel and what comes out of it; measured. */
const room: Record<Kind | 'cuda with nvidia', number> = {
  cpu: 1.6e9,
  cuda: 2.5e9,
  'cuda with nvidia': 6.5e9,
};

const wrong = (what: string): InstallFault =>
  new InstallFault(
    'platform',
    what,
    'train on another machine, or by the engine wasm, which runs everywhere and needs no install',
  );

export function checkPlatform(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw wrong(`TensorFlow's libraries are for linux x64, this is ${process.platform} ${process.arch}`);
  }
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  const [major, minor] = (header.glibcVersionRuntime ?? '0.0').split('.').map(Number);
  if (major! < 2 || (major === 2 && minor! < 27)) {
    throw wrong(
      `TensorFlow's libraries need glibc 2.27, this is ${header.glibcVersionRuntime ?? 'another C library'}`,
    );
  }
  if (!/^flags\s*:.*\bavx\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))) {
    throw wrong('TensorFlow needs AVX, which this CPU lacks');
  }
}

/** Throws where the disk under `folder` has less room than the install takes while it runs. */
export function checkRoom(folder: string, kind: keyof typeof room): void {
  let free: number;
  try {
    const { bavail, bsize } = statfsSync(folder);
    free = bavail * bsize;
  } catch (error) {
    throw diskFault(error, folder);
  }
  if (free >= room[kind]) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new InstallFault(
    'disk',
    `${folder} has ${gigabytes(free)} free, ${gigabytes(room[kind])} are needed while this runs`,
    'make room, or choose another disk by --folder PATH',
  );
}
