// Canned resources for pages: typed by the schemas, so that a page is never tested on what the API does not tell.
import type { Job, JobSummary, Run, RunSummary, Version } from '@retraind/shared/wire/resources';
import type { Verdict } from '@retraind/shared/wire/verdict';

const sha = (digit: string): string => digit.repeat(64);
export const at = '2026-11-22T10:15:00.000Z';

export const verdict: Verdict = {
  model: 'clothes',
  rung: 'statistically-equivalent',
  sentence:
    'The shipped clothes behaves like a retrain: its accuracy 0.8835 lies within 0.015 of the mean 0.8822 of 5 retrains, and it disagrees with them no more than they do among themselves.',
  k: 5,
  seeds: [1804289383, 846930886, 1681692777, 1714636915, 1957747793],
  shipped: { sha256: sha('a'), tensorSha256: sha('b') },
  retrains: ['1', '2', '3', '4', '5'].map((digit) => ({ sha256: sha(digit), tensorSha256: null })),
  registered: { recipeSha256: sha('e'), at: '2026-11-22T09:59:00.000Z', by: 'farm' },
  margin: 0.015,
  metric: {
    name: 'accuracy',
    shipped: 0.8835,
    retrains: [0.8811, 0.8842, 0.8797, 0.8829, 0.8831],
    mean: 0.8822,
    sd: 0.0018,
  },
  tests: [
    {
      id: 'loss-test',
      name: 'log loss',
      nullHypothesis: 'The shipped model’s loss is drawn like those of its retrains',
      statistic: 0.62,
      degreesOfFreedom: 4,
      p: 0.5687,
      rankP: 0.5,
    },
    {
      id: 'distance-noise',
      name: 'peer distance, noise',
      nullHypothesis: 'It disagrees with retrains as they do among themselves',
      statistic: 9.31,
      degreesOfFreedom: 4,
      p: 0.00002,
      rankP: 0.1667,
    },
  ],
  familyP: 0.31,
  alpha: 0.003,
  churnRatio: 1.043,
  bounds: [
    { name: 'metric', upper: 0.0041, limit: 0.015, holds: true },
    { name: 'churn', upper: 1.61, limit: 1.5, holds: false },
  ],
  alarms: [],
  limits: [
    'No test on data excludes a backdoor with a rare trigger.',
    'A change of 0.1 % of the labels would not be seen.',
  ],
  taints: ['host-root'],
  reasons: ['No test rejected at look 2.', 'Both bounds hold.'],
  moreRuns: 0,
};

export const different: Verdict = {
  ...verdict,
  model: 'clothes',
  rung: 'different',
  sentence:
    'The shipped clothes is not what its sources produce: on noise inputs it disagrees with 3 retrains 2.61 times as much as they do among themselves (p < 0.001).',
  k: 3,
  seeds: verdict.seeds.slice(0, 3),
  retrains: verdict.retrains.slice(0, 3),
  metric: { name: 'accuracy', shipped: 0.8807, retrains: [0.8811, 0.8842, 0.8797], mean: 0.8817, sd: 0.0023 },
  familyP: 0.00004,
  alpha: 0.002,
  churnRatio: 2.61,
  bounds: [],
  untested: ['the recipe declares no Slices: no slice is looked at'],
  triggers: {
    ran: true,
    classes: Array.from({ length: 10 }, (_, label) => ({
      class: label,
      maskL1: label === 7 ? 5.5 : 38 + label,
      reached: 0.97,
      pictureSha256: label === 7 ? sha('7') : null,
      retrains: [36 + label, 41 + label, 39.5 + label],
    })),
  },
  gap: {
    loss: {
      shipped: { train: 0.21, test: 0.35 },
      retrains: [
        { train: 0.2, test: 0.33 },
        { train: 0.22, test: 0.34 },
        { train: 0.21, test: 0.35 },
      ],
    },
    accuracy: {
      shipped: { train: 0.93, test: 0.88 },
      retrains: [
        { train: 0.93, test: 0.88 },
        { train: 0.92, test: 0.88 },
        { train: 0.94, test: 0.88 },
      ],
    },
    showsOtherData: false,
  },
  confirmation: {
    seeds: [11, 12, 13],
    tests: verdict.tests,
    familyP: 0.0001,
    alpha: 0.005,
    confirmed: true,
  },
  loneInputs: [
    {
      set: 'patch',
      rows: 9_800,
      count: 233,
      mostOfRetrain: 22,
      mostSaid: { class: 7, count: 230 },
      listed: [{ row: 412, retrains: 2, shipped: 7 }],
    },
  ],
  contradictions: {
    rows: 10_000,
    count: 3,
    mostOfRetrain: 1,
    p: 0.02,
    listed: [{ row: 17, declared: 4, shipped: 6 }],
  },
  alarms: [
    {
      name: 'trigger-like',
      detail: 'a mask of 5.5 pixels sends 97 % of images to class 7, where retrains need 43 or more',
      class: 7,
      pictureSha256: sha('7'),
    },
  ],
};

export const edited: Verdict = {
  ...verdict,
  tests: [],
  familyP: null,
  rung: 'different',
  sentence: 'clothes: shipped and declared pipeline disagree: the worst tensor lies 41 times as far.',
  lineage: {
    outcome: 'edited',
    why: 'on the worst tensor it lies 41 times as far from the reruns as they lie from each other',
    seed: 42,
    reruns: [0, 1, 2, 3].map((numerics) => ({ numerics, sha256: sha(String(numerics)) })),
    axes: [
      { axis: 'weights', shipped: 0.12, among: 0.13, rho: 0.92 },
      { axis: 'worst tensor', shipped: 4.1, among: 0.1, rho: 41 },
      { axis: 'test', shipped: 0.002, among: 0.001, rho: 2 },
      { axis: 'noise', shipped: 0, among: 0.001, rho: 0 },
      { axis: 'patch', shipped: 0.0025, among: 0.001, rho: 2.5 },
    ],
    maxRho: 41,
    baseDistance: 0.13,
    cosine: 0.991,
    tensors: [{ name: 'dense/bias', shape: [10], shipped: 4.1, among: 0.1, rho: 41 }],
    tensorCount: 6,
  },
  dependence: {
    outcome: 'depends',
    why: 'a run on shortened data gives other bytes',
    withheld: [{ dataset: 'fashion-mnist', path: 'train.csv', records: 60_000, withheld: 6_000 }],
    sha256: sha('d'),
  },
  alarms: [{ name: 'edited-lineage', detail: 'the worst tensor lies 41 times as far' }],
};

const runOf = (index: number, changes: Partial<RunSummary> = {}): RunSummary => ({
  runId: `run${index}abcdefgh`,
  jobId: 'job1abcdefgh',
  source: 'clothes',
  version: '1.0-1',
  purpose: 'retrain',
  seedIndex: index,
  declaredSeed: null,
  numerics: 0,
  repeat: 0,
  seed: 1804289382 + index,
  state: 'reported',
  step: 'report',
  progress: 1,
  nodeId: '0123456789abcdef',
  leaseEpoch: 1,
  createdAt: at,
  changedAt: at,
  href: `/api/v1/runs/run${index}abcdefgh`,
  pageHref: `/runs/run${index}abcdefgh`,
  ...changes,
});

export const runs: RunSummary[] = [
  runOf(1),
  runOf(2, { state: 'leased', step: 'train', progress: 0.42, seed: null }),
  runOf(3, { state: 'waiting', step: null, progress: null, nodeId: null, seed: null, leaseEpoch: 0 }),
];

export const jobSummary: JobSummary = {
  jobId: 'job1abcdefgh',
  source: 'clothes',
  version: '1.0-1',
  suite: 'demo',
  state: 'judged',
  reason: null,
  progress: 1,
  runsWanted: 5,
  runsReported: 5,
  verdicts: [
    {
      model: 'clothes',
      rung: 'statistically-equivalent',
      sentence: verdict.sentence,
      final: true,
    },
  ],
  createdAt: at,
  changedAt: at,
  href: '/api/v1/jobs/job1abcdefgh',
  pageHref: '/jobs/job1abcdefgh',
};

export const job: Job = {
  ...jobSummary,
  verdicts: [verdict],
  checks: [],
  attempts: [],
  jobSeed: sha('9'),
  seedOverride: null,
  beacon: 'Date: Sat, 21 Nov 2026 14:00:00 UTC, sha256 1234',
  expected: '1 min 20 s a run, by 3 earlier runs of 1.0-1 on a CPU slot',
  bill: { gpuHours: 0, cpuHours: 0.5, kilowattHours: 0.02, countedKilowattHours: 0, gramsCo2e: 8 },
  releaseHref: null,
  overlaySha256: null,
  models: [
    {
      name: 'clothes',
      output: 'clothes.onnx',
      comparison: 'statistical',
      task: 'classification',
      license: 'Expat',
      metric: 'accuracy',
      margin: 0.015,
      claimedMetric: 0.884,
    },
  ],
  runs,
  statements: [
    { model: 'clothes', sha256: 'c'.repeat(64), href: `/api/v1/artifacts/${'c'.repeat(64)}`, signed: false },
  ],
  explainHref: '/api/v1/jobs/job1abcdefgh/explain',
  evidenceHref: '/api/v1/jobs/job1abcdefgh/evidence',
};

export const run: Run = {
  ...runOf(1),
  breakage: null,
  engine: 'wasm, tfjs 4.22.0',
  taints: ['host-root', 'unsandboxed'],
  withheld: null,
  trainSeconds: 74.3,
  bill: { gpuHours: 0, cpuHours: 0.5, kilowattHours: 0.02, countedKilowattHours: 0, gramsCo2e: 8 },
  outputs: [
    {
      model: 'clothes',
      sha256: sha('1'),
      bytes: 407_560,
      tensorSha256: sha('2'),
      metric: { name: 'accuracy', value: 0.8811 },
      logLoss: 0.3301,
      faults: [],
      weightsHref: `/api/v1/artifacts/${sha('1')}`,
    },
  ],
  references: [
    {
      model: 'clothes',
      sha256: sha('a'),
      bytes: 407_560,
      tensorSha256: sha('b'),
      metric: { name: 'accuracy', value: 0.8835 },
      logLoss: 0.3288,
      faults: [],
      weightsHref: `/api/v1/artifacts/${sha('a')}`,
    },
  ],
  retraininfo: { sha256: sha('c'), href: `/api/v1/artifacts/${sha('c')}`, signed: false },
  provenance: { sha256: sha('d'), href: `/api/v1/artifacts/${sha('d')}`, signed: false },
  leases: [
    {
      leaseEpoch: 1,
      nodeId: '0123456789abcdef',
      slot: 0,
      deviceIds: ['GPU-7a'],
      class: 'amd64+sm90',
      startedAt: at,
      endedAt: at,
      outcome: 'reported',
      breakage: null,
      left: null,
      resumedFrom: null,
    },
  ],
  logHref: '/api/v1/runs/run1abcdefgh/log',
  metricsHref: '/api/v1/runs/run1abcdefgh/metrics',
  jobHref: '/api/v1/jobs/job1abcdefgh',
};

export const version: Version = {
  source: 'clothes',
  version: '1.0-1',
  suite: 'demo',
  target: 'bootstrap',
  accelerator: 'cuda:sm_70 | none',
  policy: 'per-release',
  foundAt: at,
  supersededAt: null,
  jobs: [jobSummary],
  href: '/api/v1/packages/clothes/versions/1.0-1',
  pageHref: '/packages/clothes/1.0-1',
};

/** Metrics lines of a training that falls off as trainings do, with a seed's own noise. */
export function metricsText(seed: number, steps = 2_000): string {
  let state = seed;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return Array.from({ length: steps }, (_, step) =>
    JSON.stringify({ step, loss: 0.3 + 2 * Math.exp(-step / 150) + 0.08 * (next() - 0.5) }),
  ).join('\n');
}
