// Step 5: weights, evidence and records go to the store, by digest; what is left to say fits into one report. The records
// are not signed yet, and say so where they are shown.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { release, type as systemName, version as systemVersion } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { printRetraininfo, type RecordedOutput, retraininfoName } from '@retraind/shared/attest/retraininfo';
import { printStatement, provenanceStatement } from '@retraind/shared/attest/statement';
import { datasetDigest } from '@retraind/shared/dataset/manifest';
import { recordedEnvironment } from '@retraind/shared/recipe/environment';
import { installedPackages } from '@retraind/shared/recipe/installed';
import { convertersOf } from '@retraind/shared/recipe/recipe';
import type { RunOutcome } from '@retraind/shared/wire/messages';
import { digestOf } from '../compression.ts';
import type { GivenDevices } from '../gpu/slot-devices.ts';
import { debianArchitecture } from '../source/build-depends.ts';
import type { RunContext } from './context.ts';
import type { Evaluations } from './evaluate.ts';
import type { Fetched } from './fetch.ts';
import type { Trained } from './train.ts';
import type { Unpacked } from './unpack.ts';

const checksumsOf = async (path: string, name: string): Promise<RecordedOutput> => {
  const bytes = await readFile(path);
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest('hex');
  return {
    path: name,
    bytes: bytes.length,
    md5: digest('md5'),
    sha1: digest('sha1'),
    sha256: digest('sha256'),
  };
};

const sourceFilesOf = async ({ source }: Fetched): Promise<{ name: string; sha256: string }[]> => {
  if (source.kind === 'tree') return [];
  const files = [source.dsc, ...source.files];
  return await Promise.all(
    files.map(async (path) => ({ name: basename(path), sha256: (await digestOf(path, 'plain')).sha256 })),
  );
};

/** What a run found, step by step. */
export interface Findings {
  fetched: Fetched;
  unpacked: Unpacked;
  given: GivenDevices;
  trained: Trained;
  evaluations: Evaluations;
}

export const packStep = async (context: RunContext, findings: Findings): Promise<RunOutcome> => {
  const { assignment, farm, folders, sandbox } = context;
  const { fetched, unpacked, given, trained } = findings;
  const { outputs, references } = findings.evaluations;
  const { head, recipe, seed, jobSeed } = unpacked;
  const files = [...outputs, ...references].flatMap(({ path, artifacts }) => [path, ...artifacts]);
  for (const [i, path] of files.entries()) {
    context.progress('pack', i / files.length);
    await farm.putArtifact(path);
  }

  const { runId, jobId, leaseEpoch, purpose, seedIndex, numerics, suite } = assignment;
  const withheld = unpacked.withheld ?? [];
  const devices = given.devices.map(({ deviceId, name, architecture, driver }) => ({
    deviceId,
    name,
    architecture,
    driver,
  }));
  const taints = [...new Set([...sandbox.taints, ...unpacked.taints, ...given.taints])].sort();
  // Models that are nets of one file share it.
  const written = new Map(outputs.map((output, i) => [recipe.models[i]!.output, output]));
  const recorded = await Promise.all(
    [...written].flatMap(([name, { path, evidence }]) => [
      checksumsOf(path, name),
      ...(evidence.file.companions ?? []).map((one) =>
        checksumsOf(join(dirname(path), one.path), join(dirname(name), one.path)),
      ),
    ]),
  );
  const datasets = recipe.datasets.map((dataset) => ({ name: dataset.name, digest: datasetDigest(dataset) }));
  const { source, version } = head;
  const name = retraininfoName({ source, version, runId });
  const retraininfo = join(folders.records, name);
  const status = await readFile('/var/lib/dpkg/status', 'utf8').catch(() => '');
  await writeFile(
    retraininfo,
    printRetraininfo({
      source,
      version,
      runId,
      architecture: debianArchitecture(),
      outputs: recorded,
      origin: 'Debian',
      buildDate: trained.endedAt,
      kernelVersion: `${systemName()} ${release()} ${systemVersion()}`,
      buildPath: trained.buildPath,
      taintedBy: taints,
      // Tainted host-root: whatever the machine has may have had a part in it.
      installedBuildDepends: installedPackages(status),
      environment: recordedEnvironment(trained.environment),
      target: recipe.target,
      converters: convertersOf(recipe),
      seed,
      seedIndex,
      purpose,
      numerics,
      withheld,
      jobSeed,
      engine: trained.engine,
      device: given.deviceText,
      driver: given.devices[0]?.driver ?? null,
      datasets,
      references: unpacked.references.map(({ model, sha256, bytes }) => ({
        model: model.name,
        sha256,
        bytes,
      })),
      trainSeconds: trained.trainSeconds,
      convertSeconds: trained.convertSeconds,
      energyWattHours: trained.energyWattHours,
      resumedFrom: trained.resumedFrom,
    }),
  );
  const retraininfoSha256 = (await farm.putArtifact(retraininfo)).sha256;

  const provenance = join(folders.records, `${name.replace(/\.retraininfo$/, '')}.provenance.json`);
  const statement = provenanceStatement({
    runId,
    jobId,
    leaseEpoch,
    nodeId: context.nodeId,
    source,
    version,
    suite: suite.name,
    target: recipe.target,
    converters: convertersOf(recipe),
    jobSeed,
    purpose,
    seedIndex,
    seed,
    numerics,
    withheld,
    engine: trained.engine,
    taints,
    devices,
    recipeSha256: createHash('sha256').update(unpacked.control).digest('hex'),
    overlaySha256: unpacked.overlaid ? assignment.overlaySha256 : null,
    sourceFiles: await sourceFilesOf(fetched),
    datasets,
    outputs: recorded,
    retraininfo: { name, sha256: retraininfoSha256 },
    resumedFrom: trained.resumedFrom,
    startedAt: trained.startedAt,
    finishedAt: trained.endedAt,
  });
  await writeFile(provenance, printStatement(statement));
  return {
    kind: 'reported',
    seed,
    engine: trained.engine,
    taints,
    outputs: outputs.map(({ model, evidence }) => ({ model, evidence })),
    references: references.map(({ model, evidence }) => ({ model, evidence })),
    retraininfoSha256,
    provenanceSha256: (await farm.putArtifact(provenance)).sha256,
    trainSeconds: trained.trainSeconds,
    ...(devices.length > 0 && { devices }),
    ...(trained.energyWattHours !== null && { energyWattHours: trained.energyWattHours }),
    ...(unpacked.withheld && { withheld }),
  };
};
