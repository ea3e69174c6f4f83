// What GPU this machine has, as NVIDIA's own tool tells it, and what it draws while something runs on it.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const fields = ['name', 'driver_version', 'memory.total', 'power.limit'];

/** One line a CUDA device; empty where there is none. */
export function cudaDevices(): string[] {
  const { status, stdout } = spawnSync(
    'nvidia-smi',
    [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader'],
    { encoding: 'utf8' },
  );
  return status === 0 ? stdout.split('\n').filter(Boolean) : [];
}

/** Why there is none, for people. */
export const noDevice = (): string =>
  existsSync('/dev/nvidia0')
    ? 'there is /dev/nvidia0, but nvidia-smi does not answer: look at the driver'
    : 'there is no CUDA device here (no /dev/nvidia0, no nvidia-smi)';

export interface Draw {
  /** Watts. */
  power: number;
  /** Percent of the time in which a kernel ran. */
  utilisation: number;
}

/** Samples the first device twice a second until the answer is called, which gives the medians; null where it cannot. */
export function watchDraw(): () => Draw | null {
  const query = [
    '--query-gpu=power.draw,utilization.gpu',
    '--format=csv,noheader,nounits',
    '-i',
    '0',
    '-lms',
    '500',
  ];
  const child = spawn('nvidia-smi', query, { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.on('error', () => {});
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  return () => {
    child.kill();
    const samples = said
      .split('\n')
      .map((line) => line.split(',').map(Number))
      .filter((pair) => pair.length === 2 && pair.every(Number.isFinite));
    const median = (column: number): number =>
      samples.map((pair) => pair[column]!).sort((a, b) => a - b)[Math.floor(samples.length / 2)]!;
    return samples.length === 0 ? null : { power: median(0), utilisation: median(1) };
  };
}
