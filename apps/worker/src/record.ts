// The two records of a run: .retraininfo (deb822, after deb-buildinfo(5)) and the in-toto statement of provenance (SLSA v1).
// Facts come in, text goes out; nothing is looked up here.
import { printStanza } from '@retraind/shared/recipe/deb822';
import type { PinnedFile } from '@retraind/shared/recipe/recipe';
import type { InstalledPackage } from '@retraind/shared/recipe/relation';

interface Checksums {
  name: string;
  bytes: number;
  md5: string;
  sha1: string;
  sha256: string;
}

export interface RunRecord {
  runId: string;
  leaseEpoch: number;
  source: string;
  version: string;
  suite: string;
  /** Debian's name. */
  architecture: string;
  outputs: Checksums[];
  references: { model: string; sha256: string; bytes: number }[];
  date: Date;
  kernel: string;
  buildPath: string;
  taints: string[];
  installed: Pick<InstalledPackage, 'name' | 'version' | 'architecture'>[];
  /** Only what the recipe was given: no variable of the worker is in it. */
  environment: Record<string, string>;
  rules: string;
  target: string;
  overlaid: boolean;
  controlSha256: string;
  jobSeed: string;
  beacon: string;
  seedIndex: number;
  seed: number;
  numerics: number;
  engine: string;
  runtime: string;
  evaluator: string;
  node: string;
  datasets: { name: string; files: readonly PinnedFile[] }[];
  trainSeconds: number;
}

const block = (lines: readonly string[]): string => `\n${lines.join('\n')}`;

/** Date as Policy 4.4 writes it. */
const policyDate = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

export const retraininfoText = (record: RunRecord): string => {
  const sums = (kind: 'md5' | 'sha1' | 'sha256') =>
    block(record.outputs.map((one) => `${one[kind]} ${one.bytes} ${one.name}`));
  const fields: [string, string][] = [
    ['Format', '1.0'],
    ['Source', record.source],
    ['Architecture', record.architecture],
    ['Version', record.version],
    ['Checksums-Md5', sums('md5')],
    ['Checksums-Sha1', sums('sha1')],
    ['Checksums-Sha256', sums('sha256')],
    ['Build-Origin', 'Retraind'],
    ['Build-Architecture', record.architecture],
    ['Build-Date', policyDate(record.date)],
    ['Build-Kernel-Version', record.kernel],
    ['Build-Path', record.buildPath],
    ...(record.taints.length > 0 ? [['Build-Tainted-By', block(record.taints)] as [string, string]] : []),
    [
      'Installed-Build-Depends',
      block(
        record.installed
          .map(({ name, version }) => `${name} (= ${version})`)
          .sort()
          .map((line, i, all) => (i < all.length - 1 ? `${line},` : line)),
      ),
    ],
    [
      'Environment',
      block(
        Object.entries(record.environment)
          .sort()
          .map(([name, value]) => `${name}=${JSON.stringify(value)}`),
      ),
    ],
    ['Retrain-Run', `${record.runId} (lease ${record.leaseEpoch})`],
    ['Retrain-Suite', record.suite],
    ['Retrain-Target', `${record.rules} ${record.target}`],
    [
      'Retrain-Recipe',
      `${record.overlaid ? 'overlay of the farm' : 'of the package'}, control sha256 ${record.controlSha256}`,
    ],
    ['Retrain-Seed', `${record.seed} (number ${record.seedIndex} of job seed ${record.jobSeed})`],
    ['Retrain-Numerics', String(record.numerics)],
    ['Retrain-Engine', record.engine],
    ['Retrain-Runtime', block([record.runtime, record.evaluator, `node ${record.node}`])],
    ['Retrain-Device', 'cpu'],
    [
      'Retrain-Datasets',
      block(
        record.datasets.flatMap(({ name, files }) =>
          files.map(
            (file) =>
              `${file.sha256} ${file.bytes} ${name}/${file.path}${file.uncompressed ? ' (uncompressed)' : ''}`,
          ),
        ),
      ),
    ],
    [
      'Retrain-Reference',
      block(record.references.map(({ model, sha256, bytes }) => `${sha256} ${bytes} ${model}`)),
    ],
    ['Retrain-Cost', `${record.trainSeconds.toFixed(1)} s`],
  ];
  return printStanza(fields.filter(([, value]) => value.trim() !== ''));
};

/** SLSA provenance v1 as an in-toto statement, v1: what was done, with what, to get which files. Unsigned. */
export const provenanceText = (record: RunRecord): string =>
  `${JSON.stringify(
    {
      _type: 'https://in-toto.io/Statement/v1',
      subject: record.outputs.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://retraind.debian.net/retrain/v1',
          externalParameters: {
            source: record.source,
            version: record.version,
            suite: record.suite,
            rules: record.rules,
            target: record.target,
            jobSeed: record.jobSeed,
            seedIndex: record.seedIndex,
            seed: record.seed,
            numerics: record.numerics,
            beacon: record.beacon,
          },
          internalParameters: {
            environment: record.environment,
            taints: record.taints,
            overlaid: record.overlaid,
          },
          resolvedDependencies: [
            { name: 'debian/retrain/control', digest: { sha256: record.controlSha256 } },
            ...record.datasets.flatMap(({ name, files }) =>
              files.map((file) => ({
                name: `${name}/${file.path}`,
                digest: { sha256: file.sha256 },
                ...(file.uncompressed ? { annotations: { uncompressed: true } } : {}),
              })),
            ),
            ...record.references.map(({ model, sha256 }) => ({
              name: `reference of ${model}`,
              digest: { sha256 },
            })),
          ],
        },
        runDetails: {
          builder: {
            id: 'https://retraind.debian.net/worker',
            version: {
              node: record.node,
              runtime: record.runtime,
              evaluator: record.evaluator,
              engine: record.engine,
            },
          },
          metadata: {
            invocationId: `${record.runId}-${record.leaseEpoch}`,
            finishedOn: record.date.toISOString(),
          },
        },
      },
    },
    null,
    2,
  )}\n`;
