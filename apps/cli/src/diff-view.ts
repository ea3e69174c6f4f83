// Two model files side by side, for people.
import type { Alignment } from '@retraind/worker/runtime/diff/align';
import type { ModelComparison, TensorComparison } from '@retraind/worker/runtime/diff/compare';
import { quoted } from '@retraind/worker/runtime/formats/model-fault';
import type { TensorInfo } from '@retraind/worker/runtime/formats/model-file';
import { type Palette, table } from './output.ts';

const levels = ' ▁▂▃▄▅▆▇█';

/** Names come out of foreign files: never raw on a terminal. */
const printable = (name: string): string => quoted(name).slice(1, -1);

const number = (value: number | null): string =>
  value === null ? '-' : value === 0 ? '0' : value.toPrecision(4).replace(/\.?0+($|e)/, '$1');

/** One character a bucket, as high as its share; any share at all shows. */
const picture = (ulps: readonly number[] | null): string => {
  const all = ulps?.reduce((sum, count) => sum + count, 0) ?? 0;
  if (!ulps || all === 0) return '';
  const used = ulps.findLastIndex((count) => count > 0) + 1;
  return ulps
    .slice(0, used)
    .map((count) => levels[count === 0 ? 0 : Math.max(1, Math.round((8 * count) / all))])
    .join('');
};

const shapeOf = (shape: readonly number[]): string => shape.join('x') || 'scalar';
const either = <T>([a, b]: readonly [T, T], text: (one: T) => string): string =>
  text(a) === text(b) ? text(a) : `${text(a)} / ${text(b)}`;

const tensorRow = (
  { name, dtypes, shapes, identical, figures }: TensorComparison,
  color: Palette,
): string[] => {
  const head = [
    identical ? color.good('same') : color.bad('differs'),
    printable(name),
    either(dtypes, (one) => one),
    either(shapes, shapeOf),
  ];
  if (!figures) return [...head, '', '', '', '', '', ''];
  const { normA, normB, relativeDistance, cosine, maxDifference, notFinite, ulps } = figures;
  const odd = notFinite > 0 ? `  ${notFinite} pairs with NaN or infinity left out` : '';
  return [
    ...head,
    number(normA),
    number(normB),
    number(relativeDistance),
    cosine === null ? '-' : cosine.toFixed(6),
    number(maxDifference),
    `${picture(ulps)}${odd}`,
  ];
};

const onlyLines = (tensors: readonly TensorInfo[], path: string): string[] =>
  tensors.map(({ name, dtype, shape }) => `only in ${path}: ${printable(name)} ${dtype} ${shapeOf(shape)}`);

const alignmentLines = (alignments: readonly Alignment[] | null): string[] => {
  if (alignments === null) return [];
  if (alignments.length === 0) return ['nothing aligned: no chain of dense layers is known in these files'];
  return alignments.map(({ chain, widths, moved, reason }) => {
    const called = `units behind ${printable(chain)} (${widths.join(', ')})`;
    return reason === null ? `${called}: ${moved} moved` : `${called}: not aligned, ${reason}`;
  });
};

export const comparisonText = (
  comparison: ModelComparison,
  alignments: readonly Alignment[] | null,
  color: Palette,
): string => {
  const { files, identical, sameGraph, tensors, onlyA, onlyB, total } = comparison;
  const [a, b] = files as [ModelComparison['files'][0], ModelComparison['files'][0]];
  const heading = ['', 'tensor', 'type', 'shape', '|A|', '|B|', '|A-B|/|A|', 'cosine', 'max', 'ULPs'].map(
    color.dim,
  );
  const same = tensors.filter((tensor) => tensor.identical).length;
  const parts = [
    files
      .map(
        (file, i) => `${'AB'[i]}  ${file.path}: ${file.format}, ${file.tensors} tensors, ${file.bytes} bytes`,
      )
      .join('\n'),
    alignmentLines(alignments).join('\n'),
    tensors.length === 0 ? '' : table([heading, ...tensors.map((tensor) => tensorRow(tensor, color))]),
    tensors.some(({ figures }) => figures?.ulps)
      ? color.dim('ULPs: share of pairs at 0, 1, 2-3, 4-7, 8-15, … units in the last place, from the left')
      : '',
    [...onlyLines(onlyA, a.path), ...onlyLines(onlyB, b.path)].join('\n'),
    sameGraph === false ? color.bad('the graphs compute different things') : '',
    identical
      ? color.good(`identical: all ${same} tensors`)
      : `${same} of ${tensors.length} tensors are identical, ${onlyA.length + onlyB.length} are in one file only; together |A-B|/|A| ${number(total.relativeDistance)}, cosine ${total.cosine?.toFixed(6) ?? '-'}`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
};
