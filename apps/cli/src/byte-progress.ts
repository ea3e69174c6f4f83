// A bar over bytes with ETA, on a terminal only.
import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

export interface ByteProgress {
  add(bytes: number): void;
  stop(): void;
}

const mebi = 2 ** 20;

export const openByteProgress = (totalBytes: number, { json }: Output): ByteProgress => {
  if (json || process.stderr.isTTY !== true) return { add: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    {
      format: '{bar} {percentage} %  {value}/{total} MiB  ETA {eta_formatted}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
    },
    Presets.shades_classic,
  );
  let done = 0;
  bar.start(Math.ceil(totalBytes / mebi), 0);
  return {
    add(bytes) {
      done += bytes;
      bar.update(Math.floor(done / mebi));
    },
    stop: () => bar.stop(),
  };
};
