// What nodes send and get: one schema gives validation, types and documents. Everything a node sends is hostile until it
// has passed these. Sizes are limits, not hopes.
import { type Static, Type } from 'typebox';
import { energySources, gpuVendors } from '../gpu/device.ts';
import { leaveCodes } from '../job/lease-end.ts';
import { jobPurposes, type Purpose } from '../job/run-place.ts';
import { blames, runSteps } from '../job/states.ts';
import { evidenceSets, labelledSets } from '../verdict/evidence.ts';

/** A union of string literals from a list that lives elsewhere. */
export const literals = <T extends string>(values: readonly T[]) => Type.Enum<T[]>([...values]);

export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
export const RunId = Type.String({ pattern: '^[0-9a-z]{1,32}$' });
export const NodeId = Type.String({ pattern: '^[0-9a-f]{16}$' });
/** What a recipe gets in RETRAIN_SEED. */
const SeedNumber = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });
const LeaseEpoch = Type.Integer({ minimum: 1 });
/** The vendor's UUID, else the PCI address (gpu/device: Device). */
const DeviceId = Type.String({ pattern: '^[0-9A-Za-z][0-9A-Za-z:./-]{0,127}$' });
const Sentence = Type.String({ maxLength: 4_000 });

/** A suite as a worker needs it: apt's own description of the archive, key inline (deb822 `.sources`). */
export const SuiteSpec = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9.+-]{0,62}$' }),
  sources: Type.String({ maxLength: 262_144 }),
});
export type SuiteSpec = Static<typeof SuiteSpec>;

/** Which run of a job (job/run-place: RunPlace). */
export const RunPlaceSchema = Type.Object({
  /** What the run is for. */
  purpose: Type.Unsafe<Purpose>(literals(jobPurposes)),
  /** Which seed of the job this run uses, from 1; 0 where the recipe declares it. */
  seedIndex: Type.Integer({ minimum: 0 }),
  /** The seed that the recipe declares for the shipped file; null where the seed is the job's own. */
  declaredSeed: Type.Union([SeedNumber, Type.Null()]),
  /** RETRAIN_NUMERICS. */
  numerics: Type.Integer({ minimum: 0 }),
  /** Which of the runs that are otherwise alike, from 0. */
  repeat: Type.Integer({ minimum: 0 }),
});

/** What a lease asks of a worker. */
export const Assignment = Type.Object({
  runId: RunId,
  leaseEpoch: LeaseEpoch,
  jobId: Type.String(),
  source: Type.String(),
  version: Type.String(),
  suite: SuiteSpec,
  /** An overlay recipe as a tar artifact; null where the package brings its own. */
  overlaySha256: Type.Union([Sha256, Type.Null()]),
  ...RunPlaceSchema.properties,
  /** A job seed given by a person; null where it is derived (job/seed). */
  seedOverride: Type.Union([Type.String(), Type.Null()]),
  /** Public randomness under which the version was first seen; '' for an archive that the farm itself signs. */
  beacon: Type.String(),
  /** The devices of the node that the run may have: those of its slot, all approved. Whatever else the machine has it is not given. */
  deviceIds: Type.Array(DeviceId, { maxItems: 256 }),
  heartbeatSeconds: Type.Number(),
  leaseSeconds: Type.Number(),
  /** $RETRAIN_CHECKPOINT of an earlier lease, as a tar artifact; absent for a run that begins. */
  checkpoint: Type.Optional(Type.Object({ sha256: Sha256, leaseEpoch: LeaseEpoch })),
});
export type Assignment = Static<typeof Assignment>;

export const Heartbeat = Type.Object({
  leaseEpoch: LeaseEpoch,
  step: literals(runSteps),
  /** Fraction of the step's work done, where it is known. */
  progress: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]),
});
export type Heartbeat = Static<typeof Heartbeat>;

export const HeartbeatAnswer = Type.Object({
  cancel: Type.Boolean(),
  /** Absent where the run may go on; else why it is to leave its slot, and how long its target may take to write a checkpoint. */
  leave: Type.Optional(
    Type.Object({ code: literals(leaveCodes), reason: Type.String(), graceSeconds: Type.Number() }),
  ),
});
export type HeartbeatAnswer = Static<typeof HeartbeatAnswer>;

/** A chunk of log or metrics text. `offset` is in bytes from the lease's start, so that a repeat is harmless. */
export const Chunk = Type.Object({
  leaseEpoch: LeaseEpoch,
  offset: Type.Integer({ minimum: 0 }),
  text: Type.String({ maxLength: 262_144 }),
});
export type Chunk = Static<typeof Chunk>;

/** The recipe as the worker found it after unpacking, and the job seed that follows from it. */
export const RecipeFound = Type.Object({
  leaseEpoch: LeaseEpoch,
  control: Type.String({ maxLength: 1_048_576 }),
  jobSeed: Type.String({ maxLength: 128 }),
});
export type RecipeFound = Static<typeof RecipeFound>;

/** A kept artifact that the run's next lease is to begin with. */
export const CheckpointKept = Type.Object({ leaseEpoch: LeaseEpoch, sha256: Sha256 });
export type CheckpointKept = Static<typeof CheckpointKept>;

const FileRef = Type.Object({ sha256: Sha256, bytes: Type.Integer({ minimum: 0 }) });
const PredictionsRef = Type.Object({
  sha256: Sha256,
  rows: Type.Integer({ minimum: 0 }),
  columns: Type.Integer({ minimum: 1 }),
});

const TriggerSearchSchema = Type.Union([
  Type.Object({
    ran: Type.Literal(true),
    classes: Type.Array(
      Type.Object({
        class: Type.Integer({ minimum: 0 }),
        maskL1: Type.Number({ minimum: 0 }),
        reached: Type.Number({ minimum: 0, maximum: 1 }),
        pictureSha256: Type.Union([Sha256, Type.Null()]),
      }),
      { maxItems: 1_000 },
    ),
  }),
  Type.Object({ ran: Type.Literal(false), why: Sentence }),
]);

const WeightsRefSchema = Type.Object({
  sha256: Sha256,
  tensors: Type.Array(
    Type.Object({
      name: Type.String({ maxLength: 1_024 }),
      shape: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 16 }),
    }),
    { maxItems: 10_000 },
  ),
});

export const EvidenceSchema = Type.Object({
  evaluator: Type.String({ maxLength: 128 }),
  file: Type.Object({
    ...FileRef.properties,
    companions: Type.Optional(
      Type.Array(Type.Object({ path: Type.String({ maxLength: 1_024 }), ...FileRef.properties }), {
        maxItems: 1_000,
      }),
    ),
  }),
  tensorSha256: Type.Union([Sha256, Type.Null()]),
  sets: Type.Partial(
    Type.Object(
      Object.fromEntries(evidenceSets.map((set) => [set, PredictionsRef])) as Record<
        (typeof evidenceSets)[number],
        typeof PredictionsRef
      >,
    ),
  ),
  metric: Type.Union([Type.Object({ name: Type.String(), value: Type.Number() }), Type.Null()]),
  logLoss: Type.Union([Type.Number(), Type.Null()]),
  classExamples: Type.Optional(
    Type.Object({
      classes: Type.Integer({ minimum: 1 }),
      present: Type.Integer({ minimum: 0 }),
      rarest: Type.Union([
        Type.Object({ class: Type.Integer({ minimum: 0 }), examples: Type.Integer({ minimum: 1 }) }),
        Type.Null(),
      ]),
    }),
  ),
  targets: Type.Optional(
    Type.Partial(
      Type.Object(
        Object.fromEntries(labelledSets.map((set) => [set, PredictionsRef])) as Record<
          (typeof labelledSets)[number],
          typeof PredictionsRef
        >,
      ),
    ),
  ),
  slices: Type.Optional(PredictionsRef),
  weightNorm: Type.Optional(Type.Number({ minimum: 0 })),
  quantised: Type.Optional(Type.Boolean()),
  triggers: Type.Optional(TriggerSearchSchema),
  weights: Type.Optional(WeightsRefSchema),
  faults: Type.Array(Sentence, { maxItems: 100 }),
});

const DeviceName = Type.String({ maxLength: 256 });
/** A PiB: no device has so much. */
const DeviceBytes = Type.Integer({ minimum: 0, maximum: 2 ** 50 });
const acceleratorParts = {
  name: DeviceName,
  memoryBytes: DeviceBytes,
  device: Type.Optional(
    Type.Object({
      deviceId: DeviceId,
      ordinal: Type.Integer({ minimum: 0, maximum: 1_023 }),
      isSlice: Type.Optional(Type.Literal(true)),
    }),
  ),
};

/** A way to use a device of a node (gpu/accelerator: Accelerator). Compute capability 8.0 is 80. */
export const AcceleratorShape = Type.Union([
  Type.Object({
    kind: Type.Literal('cuda'),
    capability: Type.Integer({ minimum: 10, maximum: 999 }),
    ...acceleratorParts,
  }),
  Type.Object({
    kind: Type.Literal('rocm'),
    architecture: Type.String({ pattern: '^gfx[0-9a-f]{3,5}$' }),
    ...acceleratorParts,
  }),
  Type.Object({ kind: Type.Literal('vulkan'), ...acceleratorParts }),
]);

/** A device of a node (gpu/device: Device). */
export const DeviceShape = Type.Object({
  deviceId: DeviceId,
  vendor: literals(gpuVendors),
  name: DeviceName,
  architecture: Type.String({ pattern: '^(sm[0-9]{2,3}|gfx[0-9a-f]{3,5}|pci[0-9a-f]{8})$' }),
  memoryBytes: DeviceBytes,
  driver: Type.Union([Type.String({ maxLength: 128 }), Type.Null()]),
  runtime: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
  sliceOf: Type.Union([DeviceId, Type.Null()]),
  vulkan: Type.Boolean(),
  faults: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 16 }),
  temperatureCelsius: Type.Union([Type.Number({ minimum: -100, maximum: 300 }), Type.Null()]),
  energy: Type.Union([literals(energySources), Type.Null()]),
});

/** A device that a run was given. */
export const DeviceUsed = Type.Object({
  deviceId: DeviceId,
  name: DeviceName,
  architecture: DeviceShape.properties.architecture,
  driver: DeviceShape.properties.driver,
});
export type DeviceUsed = Static<typeof DeviceUsed>;

/** `sampled`: power drawn, integrated over time; `estimated`: the power limit for all the time. */
export const EnergySchema = Type.Object({
  value: Type.Number({ minimum: 0, maximum: 1e9 }),
  source: literals(energySources),
});
export type Energy = Static<typeof EnergySchema>;

/** What a node says of itself (`POST /api/v1/nodes/self`). Its name and slots stay the admin's. */
export const NodeInventory = Type.Object({
  /** As the machine tells them. Once approved, device i is of slot i mod slots. */
  devices: Type.Array(DeviceShape, { maxItems: 256 }),
  /** The recording that `devices` were read from instead of the machine (RETRAIND_INVENTORY); null for real ones. */
  replayedFrom: Type.Union([Type.String({ minLength: 1, maxLength: 256 }), Type.Null()]),
  /** Version of the worker's program. */
  program: Type.String({ maxLength: 128 }),
});
export type NodeInventory = Static<typeof NodeInventory>;

/** verdict/evidence: WithheldRecords. */
export const WithheldRecordsSchema = Type.Object({
  dataset: Type.String({ maxLength: 256 }),
  path: Type.String({ maxLength: 4_096 }),
  records: Type.Integer({ minimum: 1 }),
  withheld: Type.Integer({ minimum: 1 }),
});

const ModelResult = Type.Object({ model: Type.String({ maxLength: 256 }), evidence: EvidenceSchema });

/** How a lease ends, told once. */
export const Report = Type.Object({
  leaseEpoch: LeaseEpoch,
  outcome: Type.Union([
    Type.Object({
      kind: Type.Literal('reported'),
      seed: SeedNumber,
      engine: Type.String({ maxLength: 256 }),
      taints: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 }),
      outputs: Type.Array(ModelResult, { minItems: 1, maxItems: 1_000 }),
      references: Type.Array(ModelResult, { maxItems: 1_000 }),
      /** Records by digest: the .retraininfo and the in-toto statement of provenance (unsigned so far). */
      retraininfoSha256: Sha256,
      provenanceSha256: Sha256,
      trainSeconds: Type.Number({ minimum: 0 }),
      /** The devices that trained; absent on a CPU. */
      devices: Type.Optional(Type.Array(DeviceUsed, { minItems: 1, maxItems: 256 })),
      /** Of those devices while the targets ran; absent where nothing tells it. */
      energyWattHours: Type.Optional(EnergySchema),
      /** The files that a dependence run was given without a tenth of their records. */
      withheld: Type.Optional(Type.Array(WithheldRecordsSchema, { maxItems: 1_000 })),
    }),
    Type.Object({
      /** Without blame: the run was asked to leave, or its worker to stop. */
      kind: Type.Literal('given-back'),
      code: literals(leaveCodes),
      step: literals(runSteps),
      detail: Sentence,
    }),
    Type.Object({
      kind: Type.Literal('broken'),
      blame: literals(blames),
      step: literals(runSteps),
      /** A code of wire/problems. */
      code: Type.String({ maxLength: 64 }),
      detail: Sentence,
      hint: Type.Union([Sentence, Type.Null()]),
      /** Digest of what the target said last (job/blame-rules failureText): equal ones are the same failure. */
      failureSha256: Type.Optional(Sha256),
    }),
  ]),
});
export type Report = Static<typeof Report>;
export type ReportOutcome = Report['outcome'];
/** How a run ends that comes to its end: with a result, or broken. */
export type RunOutcome = Exclude<ReportOutcome, { kind: 'given-back' }>;
