// How far a download is: on a terminal in place, else a line now and then.

const everyMs = { terminal: 500, file: 10_000 };

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** E.g. `120 of 274 MB (44 %), 38 MB/s, 4 s to go`. */
export function tellProgress(done: number, total: number, elapsedMs: number): string {
  const percent = Math.floor((100 * Math.min(done, total)) / total);
  const parts = [`${Math.round(done / 1e6)} of ${megabytes(total)} (${percent} %)`];
  const rate = done / Math.max(1, elapsedMs / 1000);
  if (done > 0 && elapsedMs > 1000) {
    parts.push(`${megabytes(rate)}/s`, `${Math.ceil(Math.max(0, total - done) / rate)} s to go`);
  }
  return parts.join(', ');
}

/** Calls `measure` (bytes so far) until the answer is called, and tells about it on stderr. */
export function watch(what: string, total: number, measure: () => number): () => void {
  const startedAt = performance.now();
  const onTerminal = process.stderr.isTTY === true;
  const tick = () => {
    const line = `  ${what}: ${tellProgress(measure(), total, performance.now() - startedAt)}`;
    process.stderr.write(onTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const timer = setInterval(tick, onTerminal ? everyMs.terminal : everyMs.file);
  return () => {
    clearInterval(timer);
    if (onTerminal) process.stderr.write('\r\x1b[K');
  };
}
