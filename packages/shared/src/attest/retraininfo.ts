// The .retraininfo of a run: what went in, where and how it was trained, what came out. A deb822 record shaped like .buildinfo.
// Source: deb-buildinfo(5); our own fields begin with Retrain- (docs/reference/recipe.md, "Records"). Unsigned so far.
import type { Purpose } from '../job/run-place.ts';
import { printStanza } from '../recipe/deb822.ts';
import { versionWithoutEpoch } from '../recipe/version.ts';
import type { WithheldRecords } from '../verdict/evidence.ts';
import type { Energy } from '../wire/messages.ts';

export interface RecordedOutput {
  /** Path below $RETRAIN_OUT. */
  path: string;
  bytes: number;
  md5: string;
  sha1: string;
  sha256: string;
}

export interface RetrainInfo {
  source: string;
  version: string;
  runId: string;
  /** Debian architecture of the machine; the outputs themselves are mostly independent of it. */
  architecture: string;
  outputs: RecordedOutput[];
  /** Distribution of the machine's userland, `Debian`. */
  origin: string;
  buildDate: Date;
  /** As `uname -sr` and `-v` say it. */
  kernelVersion: string;
  buildPath: string;
  /** dpkg's words (merged-usr-via-aliased-dirs …) and ours: host-root, unsandboxed, non-free-accelerator, reads-shipped. */
  taintedBy: string[];
  installedBuildDepends: { name: string; version: string; architecture: string }[];
  /** From recordedEnvironment: an allow-list. */
  environment: Readonly<Record<string, string>>;
  target: string;
  /** Targets that were run after it, in order. */
  converters: string[];
  seed: number;
  /** 0 for a seed that the recipe declares. */
  seedIndex: number;
  purpose: Purpose;
  numerics: number;
  /** What a dependence run was not given; empty for others. */
  withheld: readonly WithheldRecords[];
  jobSeed: string;
  engine: string;
  /** The device that trained, and its driver; null for a CPU without one. */
  device: string;
  driver: string | null;
  datasets: { name: string; digest: string }[];
  /** The shipped files that the outputs will be held against. */
  references: { model: string; sha256: string; bytes: number }[];
  /** Of the last lease alone. */
  trainSeconds: number;
  convertSeconds: number;
  /** Of the devices; null where nothing tells it. */
  energyWattHours: Energy | null;
  /** The checkpoint of an earlier lease with which the training began; null where it began at its beginning. */
  resumedFrom: { sha256: string; leaseEpoch: number } | null;
}

/** `<source>_<version without epoch>_<runId>.retraininfo`. */
export const retraininfoName = ({
  source,
  version,
  runId,
}: Pick<RetrainInfo, 'source' | 'version' | 'runId'>): string =>
  `${source}_${versionWithoutEpoch(version)}_${runId}.retraininfo`;

/** RFC 5322 date in UTC, as changelogs and .buildinfo files have it. */
const printDate = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

/** A list that begins on the line after the field's name. */
const lines = (list: readonly string[]): string => ['', ...list].join('\n');

const quoted = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

/** Fields that are absent have nothing to say: no field is printed empty. */
export function printRetraininfo(info: RetrainInfo): string {
  const checksums = (digest: 'md5' | 'sha1' | 'sha256'): string =>
    lines(info.outputs.map((output) => `${output[digest]} ${output.bytes} ${output.path}`));
  const fields: [name: string, value: string | null][] = [
    ['Format', '1.0'],
    ['Source', info.source],
    ['Version', info.version],
    ['Architecture', info.architecture],
    ['Checksums-Md5', checksums('md5')],
    ['Checksums-Sha1', checksums('sha1')],
    ['Checksums-Sha256', checksums('sha256')],
    ['Build-Origin', info.origin],
    ['Build-Architecture', info.architecture],
    ['Build-Date', printDate(info.buildDate)],
    ['Build-Kernel-Version', info.kernelVersion],
    ['Build-Path', info.buildPath],
    ['Build-Tainted-By', info.taintedBy.length > 0 ? lines(info.taintedBy) : null],
    ['Installed-Build-Depends', dependsText(info)],
    [
      'Environment',
      lines(Object.entries(info.environment).map(([name, value]) => `${name}=${quoted(value)}`)),
    ],
    ['Retrain-Run', info.runId],
    ['Retrain-Target', info.target],
    ['Retrain-Converters', info.converters.join(' ')],
    ['Retrain-Seed', String(info.seed)],
    ['Retrain-Seed-Index', info.seedIndex === 0 ? 'declared' : String(info.seedIndex)],
    ['Retrain-Purpose', info.purpose],
    ['Retrain-Numerics', String(info.numerics)],
    [
      'Retrain-Withheld',
      info.withheld.length > 0
        ? lines(
            info.withheld.map(
              ({ dataset, path, records, withheld }) => `${withheld} of ${records} ${dataset}/${path}`,
            ),
          )
        : null,
    ],
    ['Retrain-Job-Seed', info.jobSeed],
    ['Retrain-Engine', info.engine],
    ['Retrain-Device', info.device],
    ['Retrain-Driver', info.driver],
    ['Retrain-Datasets', lines(info.datasets.map(({ name, digest }) => `${digest} ${name}`))],
    [
      'Retrain-Reference',
      lines(info.references.map(({ model, sha256, bytes }) => `${sha256} ${bytes} ${model}`)),
    ],
    ['Retrain-Cost', costText(info)],
    [
      'Retrain-Resumed-From',
      info.resumedFrom && `${info.resumedFrom.sha256} of lease ${info.resumedFrom.leaseEpoch}`,
    ],
  ];
  return printStanza(
    fields.flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value]])),
  );
}

const costText = ({ trainSeconds, converters, convertSeconds, energyWattHours }: RetrainInfo): string =>
  [
    `train ${trainSeconds.toFixed(1)} s`,
    ...(converters.length > 0 ? [`convert ${convertSeconds.toFixed(1)} s`] : []),
    ...(energyWattHours === null
      ? []
      : [`${energyWattHours.value.toFixed(2)} Wh of the devices (${energyWattHours.source})`]),
  ].join(', ');

/** `name (= version),` a line, foreign packages with their architecture, in order of names. */
function dependsText({ installedBuildDepends, architecture }: RetrainInfo): string {
  const list = installedBuildDepends
    .map((one) => {
      const foreign = one.architecture !== architecture && one.architecture !== 'all';
      return `${one.name}${foreign ? `:${one.architecture}` : ''} (= ${one.version})`;
    })
    .sort();
  return lines(list.map((text, index) => (index < list.length - 1 ? `${text},` : text)));
}
