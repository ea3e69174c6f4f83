// How a model stanza names one file of a dataset as a tensor: `train-images.gz (idx, scale=1/255, shape=Nx784)`.
import type { DataFile } from './recipe.ts';
import { pathFault } from './stanza-reader.ts';

export const dataFileCure =
  'write `PATH (FORMAT, scale=1/255, shape=Nx784)`: FORMAT is idx, csv or npy; scale and shape may be left out';

const formats = ['idx', 'csv', 'npy'] as const;

/** More values a record than any tensor that the farm evaluates. */
const maxRecordValues = 2 ** 28;

/** The data file of a text, or a sentence that says why it is none. */
export function parseDataFile(text: string): DataFile | string {
  if (text.length > 2_000) return 'it is longer than 2000 characters';
  const match = /^(\S+)\s*\(([^()]*)\)$/.exec(text);
  if (match === null) return `\`${text}\` is not of the form \`PATH (FORMAT, …)\``;
  const path = match[1]!;
  const wrong = pathFault(path);
  if (wrong !== null) return `the path \`${path}\` ${wrong}`;
  const [formatText = '', ...options] = match[2]!.split(',').map((part) => part.trim());
  const format = formats.find((one) => one === formatText);
  if (format === undefined) return `\`${formatText}\` is no format (${formats.join(', ')})`;
  const file: DataFile = { path, format, scale: 1, recordShape: null };
  const seen = new Set<string>();
  for (const option of options) {
    const [name = '', value = ''] = option.split('=', 2).map((part) => part.trim());
    if (seen.has(name)) return `\`${name}\` is given twice`;
    seen.add(name);
    if (name === 'scale') {
      const scale = parseScale(value);
      if (scale === null) return `\`scale=${value}\` is no number above 0 or fraction such as 1/255`;
      file.scale = scale;
    } else if (name === 'shape') {
      const shape = parseShape(value);
      if (shape === null) return `\`shape=${value}\` is not of the form Nx784 or Nx28x28x1`;
      file.recordShape = shape;
    } else {
      return `\`${option}\` is no option (scale=…, shape=…)`;
    }
  }
  return file;
}

function parseScale(text: string): number | null {
  const match = /^(\d{1,12}(?:\.\d{1,12})?)(?:\/(\d{1,12}(?:\.\d{1,12})?))?$/.exec(text);
  if (match === null) return null;
  const scale = Number(match[1]) / Number(match[2] ?? 1);
  return scale > 0 && Number.isFinite(scale) ? scale : null;
}

/** `N` alone is a list of scalars: an empty record shape. */
function parseShape(text: string): number[] | null {
  if (!/^N(x[1-9]\d{0,8}){0,7}$/.test(text)) return null;
  const shape = text.split('x').slice(1).map(Number);
  return shape.reduce((values, size) => values * size, 1) <= maxRecordValues ? shape : null;
}
