// in-toto statements about a run (what was done: SLSA provenance) and about a model (what we claim: the verdict). Unsigned so
// far, and shown as such: a statement without a DSSE envelope proves nothing about who made it.
// Source: in-toto Attestation Framework v1 (Statement, ResourceDescriptor), SLSA Provenance v1.
import type { Purpose } from '../job/run-place.ts';
import type { ModelVerdict, WithheldRecords } from '../verdict/evidence.ts';
import type { DeviceUsed } from '../wire/messages.ts';
import { verdictSchemaId } from '../wire/verdict-schema.ts';

export interface ResourceDescriptor {
  name?: string;
  uri?: string;
  digest?: Record<string, string>;
  mediaType?: string;
  annotations?: Record<string, unknown>;
}

export interface Statement<P> {
  _type: 'https://in-toto.io/Statement/v1';
  /** Never empty, each with a digest. */
  subject: ResourceDescriptor[];
  predicateType: string;
  predicate: P;
}

/** Type URIs need not resolve; `.invalid` says that nobody owns them yet. */
export const retrainRunType = 'https://retraind.invalid/retrain-run/v1';
export const verdictPredicateType = 'https://retraind.invalid/verdict/v1';
export const provenancePredicateType = 'https://slsa.dev/provenance/v1';

const sha256Of = (sha256: string): Record<string, string> => ({ sha256 });

/** purl of a Debian source package. Source: purl-spec, type deb. */
const sourceUri = (source: string, version: string): string =>
  `pkg:deb/debian/${encodeURIComponent(source)}@${encodeURIComponent(version)}?arch=source`;

export interface RunFacts {
  runId: string;
  jobId: string;
  leaseEpoch: number;
  nodeId: string;
  source: string;
  version: string;
  suite: string;
  target: string;
  /** Targets that were run after it, in order. */
  converters: string[];
  jobSeed: string;
  purpose: Purpose;
  /** 0 for a seed that the recipe declares. */
  seedIndex: number;
  seed: number;
  numerics: number;
  /** What a dependence run was not given; empty for others. */
  withheld: readonly WithheldRecords[];
  engine: string;
  taints: string[];
  /** What trained; none on a CPU. */
  devices: DeviceUsed[];
  /** Text of debian/retrain/control by digest, and the overlay where the recipe is the farm's own. */
  recipeSha256: string;
  overlaySha256: string | null;
  /** .dsc, tarballs: whatever files the source came as; none for a working tree. */
  sourceFiles: { name: string; sha256: string }[];
  /** Digest of the manifest (dataset/manifest). */
  datasets: { name: string; digest: string }[];
  outputs: { path: string; sha256: string }[];
  retraininfo: { name: string; sha256: string };
  /** The checkpoint of an earlier lease with which the training began; null where it began at its beginning. */
  resumedFrom: { sha256: string; leaseEpoch: number } | null;
  startedAt: Date;
  finishedAt: Date;
}

export interface SlsaProvenance {
  buildDefinition: {
    buildType: string;
    externalParameters: Record<string, unknown>;
    internalParameters: Record<string, unknown>;
    resolvedDependencies: ResourceDescriptor[];
  };
  runDetails: {
    builder: { id: string };
    metadata: { invocationId: string; startedOn: string; finishedOn: string };
    byproducts: ResourceDescriptor[];
  };
}

/** What was done in one run. Throws RangeError where the run left no output. */
export function provenanceStatement(run: RunFacts): Statement<SlsaProvenance> {
  if (run.outputs.length === 0) throw new RangeError('a provenance statement needs an output');
  const overlay =
    run.overlaySha256 === null ? [] : [{ name: 'overlay', digest: sha256Of(run.overlaySha256) }];
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: run.outputs.map(({ path, sha256 }) => ({ name: path, digest: sha256Of(sha256) })),
    predicateType: provenancePredicateType,
    predicate: {
      buildDefinition: {
        buildType: retrainRunType,
        externalParameters: {
          source: run.source,
          version: run.version,
          suite: run.suite,
          target: run.target,
          ...(run.converters.length > 0 ? { converters: run.converters } : {}),
          jobSeed: run.jobSeed,
          purpose: run.purpose,
          seedIndex: run.seedIndex,
          ...(run.seedIndex === 0 && { declaredSeed: run.seed }),
          numerics: run.numerics,
          ...(run.withheld.length > 0 && { withheld: run.withheld }),
        },
        internalParameters: {
          seed: run.seed,
          jobId: run.jobId,
          engine: run.engine,
          taints: run.taints,
          ...(run.devices.length > 0 && { devices: run.devices }),
        },
        resolvedDependencies: [
          ...(run.sourceFiles.length > 0 ? [] : [{ uri: sourceUri(run.source, run.version) }]),
          ...run.sourceFiles.map(({ name, sha256 }) => ({
            uri: sourceUri(run.source, run.version),
            name,
            digest: sha256Of(sha256),
          })),
          { name: 'debian/retrain/control', digest: sha256Of(run.recipeSha256) },
          ...overlay,
          ...(run.resumedFrom === null
            ? []
            : [
                {
                  name: `checkpoint of lease ${run.resumedFrom.leaseEpoch}`,
                  digest: sha256Of(run.resumedFrom.sha256),
                },
              ]),
          ...run.datasets.map(({ name, digest }) => ({
            name: `dataset ${name}`,
            digest: sha256Of(digest),
            annotations: {
              content: 'manifest: a line `sha256 bytes plain|uncompressed path` a file, by path',
            },
          })),
        ],
      },
      runDetails: {
        builder: { id: `https://retraind.invalid/nodes/${run.nodeId}` },
        metadata: {
          invocationId: `${run.runId}-${run.leaseEpoch}`,
          startedOn: run.startedAt.toISOString(),
          finishedOn: run.finishedAt.toISOString(),
        },
        byproducts: [{ name: run.retraininfo.name, digest: sha256Of(run.retraininfo.sha256) }],
      },
    },
  };
}

export interface VerdictFacts {
  jobId: string;
  source: string;
  version: string;
  suite: string;
  jobSeed: string;
  recipeSha256: string;
  /** Name of the shipped file as the recipe has it. */
  fileName: string;
  verdict: ModelVerdict;
  /** The statements of provenance that the verdict rests on, in seed order. */
  provenanceSha256s: string[];
  judgedAt: Date;
}

export interface VerdictPredicate {
  package: { source: string; version: string; suite: string };
  jobId: string;
  jobSeed: string;
  recipe: ResourceDescriptor;
  /** The schema that `verdict` follows. */
  verdictSchema: ResourceDescriptor;
  verdict: ModelVerdict;
  evidence: ResourceDescriptor[];
  judgedOn: string;
}

/** What the farm claims of one model. Its subject is the shipped file, or the retrains where there is none to speak of. */
export function verdictStatement(facts: VerdictFacts): Statement<VerdictPredicate> {
  const { verdict } = facts;
  const subject = verdict.shipped
    ? [{ name: facts.fileName, digest: sha256Of(verdict.shipped.sha256) }]
    : verdict.retrains.map(({ sha256 }) => ({ name: verdict.model, digest: sha256Of(sha256) }));
  if (subject.length === 0) throw new RangeError('a verdict statement needs a shipped file or a retrain');
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: verdictPredicateType,
    predicate: {
      package: { source: facts.source, version: facts.version, suite: facts.suite },
      jobId: facts.jobId,
      jobSeed: facts.jobSeed,
      recipe: { name: 'debian/retrain/control', digest: sha256Of(facts.recipeSha256) },
      verdictSchema: { uri: verdictSchemaId, mediaType: 'application/schema+json' },
      verdict,
      evidence: facts.provenanceSha256s.map((sha256) => ({ name: 'provenance', digest: sha256Of(sha256) })),
      judgedOn: facts.judgedAt.toISOString(),
    },
  };
}

/** The bytes of a statement, the same for equal facts: keys in the order in which they are built, a line break at the end. */
export const printStatement = (statement: Statement<unknown>): string =>
  `${JSON.stringify(statement, null, 2)}\n`;
