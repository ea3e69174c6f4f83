// Step 5: weights, predictions and records go to the store, by digest; what is left to say fits into one report. The records
// are not signed yet, and say so where they are shown.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { installedPackages } from '@retraind/shared/recipe/installed';
import { versionWithoutEpoch } from '@retraind/shared/recipe/version';
import type { ReportOutcome } from '@retraind/shared/wire/messages';
import { provenanceText, type RunRecord, retraininfoText } from '../record.ts';
import { debianArchitecture } from '../source/build-depends.ts';
import type { RunContext } from './context.ts';
import type { Evaluated, Evaluations } from './evaluate.ts';
import type { Trained } from './train.ts';
import type { Unpacked } from './unpack.ts';

const checksumsOf = async ({ path }: Evaluated, name: string): Promise<RunRecord['outputs'][number]> => {
  const bytes = await readFile(path);
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest('hex');
  return { name, bytes: bytes.length, md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256') };
};

export const packStep = async (
  context: RunContext,
  unpacked: Unpacked,
  trained: Trained,
  { outputs, references }: Evaluations,
): Promise<ReportOutcome> => {
  const { assignment, farm, folders, programs, sandbox } = context;
  const { head, recipe, seed } = unpacked;
  const files = [...outputs, ...references].flatMap(({ path, predictions }) => [path, ...predictions]);
  for (const [i, path] of files.entries()) {
    context.progress('pack', i / files.length);
    await farm.putArtifact(path);
  }
  const taints = [...new Set([...sandbox.taints, ...unpacked.taints])].sort();
  const record: RunRecord = {
    runId: assignment.runId,
    leaseEpoch: assignment.leaseEpoch,
    source: head.source,
    version: head.version,
    suite: assignment.suite.name,
    architecture: debianArchitecture(),
    outputs: await Promise.all(outputs.map((output, i) => checksumsOf(output, recipe.models[i]!.output))),
    references: unpacked.references.map(({ model, sha256, bytes }) => ({ model: model.name, sha256, bytes })),
    date: new Date(),
    kernel: `${process.platform} ${release()}`,
    buildPath: trained.buildPath,
    taints,
    installed: installedPackages(await readFile('/var/lib/dpkg/status', 'utf8').catch(() => '')),
    environment: trained.environment,
    rules: unpacked.rules,
    target: recipe.target,
    overlaid: unpacked.overlaid,
    controlSha256: createHash('sha256').update(unpacked.control).digest('hex'),
    jobSeed: unpacked.jobSeed,
    beacon: assignment.beacon,
    seedIndex: assignment.seedIndex,
    seed,
    numerics: assignment.numerics,
    engine: trained.engine,
    runtime: programs.retrainTfjsVersion,
    evaluator: programs.evaluator.version,
    node: process.version,
    datasets: recipe.datasets.map(({ name, files: pinned }) => ({ name, files: pinned })),
    trainSeconds: trained.seconds,
  };
  const name = `${head.source}_${versionWithoutEpoch(head.version)}_${assignment.runId}`;
  const retraininfo = join(folders.records, `${name}.retraininfo`);
  const provenance = join(folders.records, `${name}.provenance.json`);
  await writeFile(retraininfo, retraininfoText(record));
  await writeFile(provenance, provenanceText(record));
  return {
    kind: 'reported',
    seed,
    engine: trained.engine,
    taints,
    outputs: outputs.map(({ model, evidence }) => ({ model, evidence })),
    references: references.map(({ model, evidence }) => ({ model, evidence })),
    retraininfoSha256: (await farm.putArtifact(retraininfo)).sha256,
    provenanceSha256: (await farm.putArtifact(provenance)).sha256,
    trainSeconds: trained.seconds,
  };
};
