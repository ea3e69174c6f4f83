// How this machine is: load, memory, pressure, disk and cache, from Linux' own files (proc(5), Documentation/accounting/psi.rst).
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { NodeVitals } from '@retraind/shared/wire/node';

/** The farm takes no more; the latest used matter. */
const mostDatasets = 256;

/** Available memory in bytes from /proc/meminfo's text; null where it does not say. */
export function availableBytes(meminfo: string): number | null {
  const kib = meminfo.match(/^MemAvailable:\s+(\d+) kB$/m)?.[1];
  return kib === undefined ? null : Number(kib) * 1_024;
}

/** `some avg10` of a /proc/pressure file, per cent; null where the kernel keeps none. */
export function someOfTen(pressure: string): number | null {
  const share = pressure.match(/^some avg10=(\d{1,3}(?:\.\d+)?) /m)?.[1];
  return share === undefined ? null : Math.min(100, Number(share));
}

const readPressure = async (of: 'cpu' | 'memory' | 'io'): Promise<number | null> =>
  someOfTen(await readFile(`/proc/pressure/${of}`, 'utf8').catch(() => ''));

/** Data files in the cache (dataset/datasets), by sha256, the latest used first. */
async function cachedDigests(cache: string): Promise<string[]> {
  const folder = join(cache, 'data');
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    /^(plain|uncompressed)-[0-9a-f]{64}$/.test(name),
  );
  const dated = await Promise.all(
    names.map(async (name) => ({
      sha256: name.slice(-64),
      usedAt: await stat(join(folder, name)).then(
        ({ atimeMs }) => atimeMs,
        () => 0,
      ),
    })),
  );
  const newest = dated.sort((a, b) => b.usedAt - a.usedAt).map(({ sha256 }) => sha256);
  return [...new Set(newest)].slice(0, mostDatasets);
}

/** @param work folder of runs and cache (RETRAIND_WORK), which exists */
export async function readVitals(work: string): Promise<NodeVitals> {
  const [meminfo, cpu, memory, io, disk, datasetDigests] = await Promise.all([
    readFile('/proc/meminfo', 'utf8').catch(() => ''),
    readPressure('cpu'),
    readPressure('memory'),
    readPressure('io'),
    statfs(work),
    cachedDigests(join(work, 'cache')),
  ]);
  return {
    at: new Date().toISOString(),
    load: loadavg()[0] ?? 0,
    memoryFreeBytes: availableBytes(meminfo) ?? 0,
    pressure: cpu === null || memory === null || io === null ? null : { cpu, memory, io },
    diskBytes: disk.blocks * disk.bsize,
    diskFreeBytes: disk.bavail * disk.bsize,
    datasetDigests,
  };
}
