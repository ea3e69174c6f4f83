// The line of the recipe that a refused operation was written in.

const here = import.meta.url;
// Unbundled, this is src/step/wasm/: everything below src/ is ours.
const ours = here.includes('/step/wasm/') ? here.slice(0, here.lastIndexOf('/step/wasm/')) : here;

/** ` (train.mjs:12)`, or nothing where the stack holds no line but ours and tfjs's. */
export function recipeLine(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  for (const line of stack!.split('\n').slice(1)) {
    const found = /\(?((?:file:\/\/)?\/[^():]+):(\d+):\d+\)?$/.exec(line);
    if (!found) continue;
    const path = found[1]!.replace(/^file:\/\//, '');
    // Source maps show tfjs's files under their first names.
    if (/\/(node_modules|tfjs-(core|layers|backend-\w+))\//.test(path)) continue;
    if (`file://${path}`.startsWith(ours) && !path.endsWith('.test.ts')) continue;
    return ` (${path.slice(path.lastIndexOf('/') + 1)}:${found[2]})`;
  }
  return '';
}
