// The metrics lines of a run (RETRAIN_METRICS): JSON objects, one a line, written by the package's program. Everything here
// is hostile: lines that are no objects of finite numbers are passed over, and the count of points has a limit.

export interface Point {
  step: number;
  value: number;
}

export interface Series {
  /** `loss`, or the first number that the lines carry. */
  name: string;
  points: Point[];
}

const mostLines = 500_000;
const longestLine = 16_384;
const noCurve = new Set(['step', 'epoch', 'progress', 'time', 'at', 'tempfail']);

/** The curve of a run, thinned to at most `most` points, each the mean of its neighbours; null where there is none. */
export function readSeries(text: string, most = 240): Series | null {
  let name: string | null = null;
  const points: Point[] = [];
  let count = 0;
  for (let start = 0; start < text.length && count < mostLines; count++) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    const line = end - start <= longestLine ? text.slice(start, end) : '';
    start = end + 1;
    const fields = lineFields(line);
    if (fields === null) continue;
    if (typeof fields.loss === 'number' && name !== 'loss') {
      name = 'loss';
      points.length = 0;
    }
    name ??= Object.keys(fields).find((key) => !noCurve.has(key) && key.length <= 64) ?? null;
    const value = name === null ? undefined : fields[name];
    if (value === undefined) continue;
    points.push({ step: fields.step ?? points.length, value });
  }
  return name === null || points.length === 0 ? null : { name, points: thin(points, most) };
}

/** The finite numbers of one line; null where it is none of ours. */
function lineFields(line: string): Record<string, number> | null {
  if (!line.startsWith('{')) return null;
  try {
    const entries = Object.entries(JSON.parse(line) as object);
    return Object.fromEntries(entries.filter(([, value]) => Number.isFinite(value))) as Record<
      string,
      number
    >;
  } catch {
    return null;
  }
}

function thin(points: Point[], most: number): Point[] {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return points;
  const thinned: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size);
    const mean = (of: (point: Point) => number) =>
      group.reduce((sum, point) => sum + of(point), 0) / group.length;
    thinned.push({ step: mean(({ step }) => step), value: mean(({ value }) => value) });
  }
  return thinned;
}
