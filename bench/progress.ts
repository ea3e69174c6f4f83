// Progress of the bench on stderr: a bar with ETA on a terminal, a line now and then elsewhere.
import { Presets, SingleBar } from 'cli-progress';

/** Seconds between two lines where there is no terminal. */
const tellEvery = 10;

/** A teller of `done of total`; calls with total 0 show nothing. */
export const openProgress = (name: string): ((done: number, total: number) => void) => {
  const startedAt = Date.now();
  let bar: SingleBar | null = null;
  let toldAt = Number.NEGATIVE_INFINITY;
  return (done, total) => {
    if (total === 0) return;
    if (process.stderr.isTTY === true) {
      const format = `${name} {bar} {value}/{total}  ETA {eta_formatted}`;
      bar ??= new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic);
      if (done === 0) bar.start(total, 0);
      else bar.update(done);
      if (done === total) bar.stop();
      return;
    }
    const seconds = (Date.now() - startedAt) / 1_000;
    if (done < total && seconds - toldAt < tellEvery) return;
    toldAt = seconds;
    const eta = done === 0 ? '' : `, ETA ${Math.round((seconds / done) * (total - done))} s`;
    console.error(`${name} ${done}/${total}${eta}`);
  };
};
