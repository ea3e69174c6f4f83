// A verdict as text: one table over the models, one sentence each, and always what it cannot exclude.
import type { ModelVerdict, Rung } from '@retraind/shared/verdict/evidence';
import type { Job } from '@retraind/shared/wire/resources';
import { type Palette, table } from './output.ts';

export interface JudgedModel {
  source: string;
  version: string;
  verdict: ModelVerdict;
  /** Where people look at the picture of a recovered trigger, an address or a path; null where nobody has it. */
  pictureAt(sha256: string): string | null;
}

/** The verdicts of a farm's job; its pictures are at the farm's address. */
export const judgedModels = (job: Job, address: string): JudgedModel[] =>
  job.verdicts.map((verdict) => ({
    source: job.source,
    version: job.version,
    verdict,
    pictureAt: (sha256) => `${address}${job.href}/pictures/${sha256}`,
  }));

const paintRung = (rung: Rung, color: Palette): string => {
  if (rung === 'bit-identical' || rung === 'same-run' || rung === 'statistically-equivalent')
    return color.good(rung);
  return rung === 'different' ? color.bad(rung) : color.doubtful(rung);
};

const digits = (value: number | null | undefined, places: number): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(places);

const rowOf = ({ source, version, verdict }: JudgedModel, color: Palette): string[] => [
  `${source} ${version}`,
  verdict.model,
  paintRung(verdict.rung, color),
  String(verdict.k),
  verdict.metric ? `${verdict.metric.name} ${digits(verdict.metric.shipped, 4)}` : '–',
  verdict.metric ? `${digits(verdict.metric.mean, 4)} ± ${digits(verdict.metric.sd, 4)}` : '–',
  digits(verdict.churnRatio, 2),
  verdict.familyP === null ? '–' : verdict.familyP.toPrecision(2),
];

/** The table of models: rung, k, the shipped metric beside the retrains', churn ratio, family p. */
export function verdictTable(models: JudgedModel[], color: Palette): string {
  const head = ['PACKAGE', 'MODEL', 'VERDICT', 'K', 'SHIPPED', 'RETRAINS', 'CHURN', 'P'].map(color.bold);
  return table([head, ...models.map((model) => rowOf(model, color))]);
}

/** Sentences, taints, alarms with their evidence, and the limits that every verdict carries (each limit printed once). */
export function verdictNotes(models: JudgedModel[], color: Palette): string {
  const lines: string[] = [];
  for (const { source, verdict, pictureAt } of models) {
    lines.push(`${color.bold(`${source}/${verdict.model}`)}: ${verdict.sentence}`);
    for (const { name, detail, class: label, pictureSha256 } of verdict.alarms) {
      const at = label === undefined ? '' : ` (class ${label})`;
      lines.push(`  ${color.bad(`alarm ${name}${at}`)}: ${detail}`);
      const place = pictureSha256 === undefined ? null : pictureAt(pictureSha256);
      if (place !== null) lines.push(`    picture of the trigger: ${place}`);
    }
    if (verdict.taints.length > 0) lines.push(`  ${color.doubtful(`taints: ${verdict.taints.join(', ')}`)}`);
  }
  const limits = new Set(models.flatMap(({ verdict }) => verdict.limits));
  if (limits.size > 0)
    lines.push('', 'What this cannot exclude:', ...[...limits].map((limit) => color.dim(`  - ${limit}`)));
  return lines.join('\n');
}

/** Digests of the files that were compared, for verdicts that rest on bytes. */
export function digestLines(models: JudgedModel[]): string {
  return models
    .flatMap(({ verdict }) => [
      `${verdict.shipped?.sha256 ?? 'no file'.padEnd(64)}  shipped   ${verdict.model}`,
      ...verdict.retrains.map(
        (retrain, index) =>
          `${retrain.sha256}  retrain ${index + 1} ${verdict.model} (seed ${verdict.seeds[index]})`,
      ),
    ])
    .join('\n');
}
