// What TensorFlow reads from the environment once, when its library is loaded. All of it decides bits or speed, so it is
// fixed before that and told in the engine's label.

export interface Settings {
  /** Threads within one operation: they decide the bits of convolutions. */
  intraOp: number;
  /** Threads between operations; -1: the caller's own, which is quickest for small nets. */
  interOp: number;
  /** Whether oneDNN's kernels are used: without them convolutions take twice the time and have other bits. */
  oneDnn: boolean;
  /** Whether the net's size may still decide the threads: several are there, and nobody set a count on purpose. */
  mayChoose: boolean;
}

/** N of `DEB_BUILD_OPTIONS=parallel=N`, as dpkg-buildpackage sets it; 1 where it is not given. */
export function parallel(options = process.env.DEB_BUILD_OPTIONS ?? ''): number {
  const found = /(?:^|\s)parallel=(\d{1,4})(?:\s|$)/.exec(options);
  return Math.max(1, Number(found?.[1] ?? 1));
}

/** A variable that somebody set on purpose is left as it is. */
function settle(name: string, value: string): string {
  if (!process.env[name]) process.env[name] = value;
  return process.env[name]!;
}

/** Fixes the environment; answers what TensorFlow will read in it. Call it before the library is loaded. */
export function fixSettings(): Settings {
  const threads = parallel();
  const mayChoose = threads > 1 && !process.env.TF_NUM_INTRAOP_THREADS && !process.env.TF_NUM_INTEROP_THREADS;
  // 1: only errors. TensorFlow else says on loading what CPU it was not compiled for.
  settle('TF_CPP_MIN_LOG_LEVEL', '2');
  settle('TF_DETERMINISTIC_OPS', '1');
  return {
    intraOp: Number(settle('TF_NUM_INTRAOP_THREADS', String(threads))),
    interOp: Number(settle('TF_NUM_INTEROP_THREADS', threads === 1 ? '-1' : String(threads))),
    oneDnn: settle('TF_ENABLE_ONEDNN_OPTS', '1') !== '0',
    mayChoose,
  };
}

/** One thread after all. Heeded only before the library is loaded. */
export function takeOneThread(settings: Settings): void {
  process.env.TF_NUM_INTRAOP_THREADS = '1';
  process.env.TF_NUM_INTEROP_THREADS = '-1';
  Object.assign(settings, { intraOp: 1, interOp: -1 });
}

/** For the label, e.g. `oneDNN, 1 thread`. */
export function tellSettings({ intraOp, interOp, oneDnn }: Omit<Settings, 'mayChoose'>): string {
  const between = interOp === -1 ? '' : ` and ${interOp} between operations`;
  return `${oneDnn ? 'oneDNN' : 'no oneDNN'}, ${intraOp} thread${intraOp === 1 ? '' : 's'}${between}`;
}
