// Rows that tests begin with: a suite, a version, nodes, and runs in the states that matter. One place, so that a change of
// the store changes tests here only.
import { createHash, randomBytes } from 'node:crypto';
import type { Database } from '@retraind/prisma/client';
import type * as jobs from '@retraind/prisma/store/jobs';
import * as nodes from '@retraind/prisma/store/nodes';
import * as runs from '@retraind/prisma/store/runs';
import * as suites from '@retraind/prisma/store/suites';
import * as versions from '@retraind/prisma/store/versions';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { protocol } from '@retraind/shared/node/protocol';
import type { Evidence } from '@retraind/shared/verdict/evidence';
import type { ReportOutcome } from '@retraind/shared/wire/messages';

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A registered node; its key is no real one. */
export const makeNode = async (db: Database, slots = 1): Promise<nodes.Node> => {
  const nodeId = hex(8);
  return nodes.register(
    db,
    {
      nodeId,
      publicKey: `key of ${nodeId}`,
      name: `node-${nodeId}`,
      class: 'amd64',
      slots,
    },
    'ada',
  );
};

/** What a machine without devices says of itself. */
export const selfReport = (change: Partial<nodes.SelfReport> = {}): nodes.SelfReport => ({
  inventory: { devices: [], replayedFrom: null, program: 'test', cores: 2, memoryBytes: 8 * 2 ** 30 },
  tags: [],
  vitals: {
    at: new Date().toISOString(),
    load: 0.5,
    memoryFreeBytes: 4 * 2 ** 30,
    pressure: null,
    diskBytes: 2 ** 40,
    diskFreeBytes: 2 ** 39,
    datasetDigests: [],
  },
  protocol,
  clockOffsetSeconds: 0,
  ...change,
});

/** A version as intake finds it, in a suite made where absent; policy on-upload makes a job of it. */
export const findVersion = async (
  db: Database,
  found: Partial<versions.Found> = {},
): Promise<versions.FoundAnswer & { suite: string; source: string; version: string }> => {
  const { suite = 'sid', source = `pkg-${hex(4)}`, version = '1.0-1' } = found;
  await suites.add(
    db,
    { name: suite, sources: 'Types: deb\nURIs: file:/archive\n', intakeSeconds: 60 },
    'ada',
  );
  const answer = await versions.found(db, {
    accelerators: [{ kind: 'none' }],
    policy: 'on-upload',
    target: 'bootstrap',
    directory: '',
    overlaySha256: null,
    control: null,
    beacon: '',
    job: { state: 'needs-retrain', reason: 'uploaded', priority: 0 },
    ...found,
    suite,
    source,
    version,
  });
  return { ...answer, suite, source, version };
};

/** A fresh job of a package of its own. */
export const makeJob = async (db: Database): Promise<jobs.Job> => (await findVersion(db)).job!;

export interface LeasedRun {
  job: jobs.Job;
  node: nodes.Node;
  holder: runs.Holder;
}

/** A job with its first run leased to a node of its own. */
export const leaseRun = async (db: Database, leaseSeconds = 60): Promise<LeasedRun> => {
  const [job, node] = [await makeJob(db), await makeNode(db)];
  const [runId] = await runs.add(db, job.jobId, retrainPlaces(1));
  const { nodeId } = node;
  const leaseEpoch = await runs.lease(db, { runId: runId!, nodeId, slot: 0, leaseSeconds });
  return { job, node, holder: { runId: runId!, leaseEpoch: leaseEpoch!, nodeId } };
};

export const evidenceOf = (bytes: string): Evidence => ({
  evaluator: 'test/1',
  file: { sha256: sha256Of(bytes), bytes: bytes.length },
  tensorSha256: null,
  sets: {},
  metric: { name: 'accuracy', value: 0.9 },
  logLoss: null,
  faults: [],
});

/** A result of one model, whose bytes are the text. */
export const resultOf = (bytes: string, model = 'tiny'): Extract<ReportOutcome, { kind: 'reported' }> => ({
  kind: 'reported',
  seed: 42,
  engine: 'wasm',
  taints: ['unsandboxed'],
  outputs: [{ model, evidence: evidenceOf(bytes) }],
  references: [{ model, evidence: evidenceOf('shipped') }],
  retraininfoSha256: sha256Of('retraininfo'),
  provenanceSha256: sha256Of('provenance'),
  trainSeconds: 1.5,
});

export const breakageOf = (
  blame: runs.Breakage['blame'],
  code = 'recipe-failed',
): Extract<ReportOutcome, { kind: 'broken' }> => ({
  kind: 'broken',
  blame,
  code,
  step: 'train',
  detail: 'make: *** [bootstrap] Error 1',
  hint: null,
});
