// Whose fault a mishap is, as a table that a person can read: the first rule whose conditions all hold decides. It says whom we
// blame, under which code, and what follows (job/failure carries that out). docs/reference/blame.md is printed from this table.
//
// What the package's program says is a hint, never proof: a rule that believes its log sends the run elsewhere at most, and a
// failure that is the same on two nodes is the recipe's (job/failure).
import type { ProblemCode } from '../wire/problems.ts';
import type { Blame, RunStep } from './states.ts';

/** Why the farm ended a target, where it did. */
export const targetLimits = [
  'time-limit',
  'silence-limit',
  'log-limit',
  'output-limit',
  'disk-limit',
  'memory-limit',
] as const;
export type TargetLimit = (typeof targetLimits)[number];

/** How a target of the recipe ended that did not end well. */
export interface TargetEnd {
  endedBy: TargetLimit | 'cancelled' | null;
  /** Signal that ended it, where nobody of the farm sent it. */
  signal: string | null;
  /** The end of its log. */
  log: string;
  /** Why it asked for another node (`{"tempfail": …}` in $RETRAIN_METRICS): make turns every failing status into 2. */
  tempfail: string | null;
  /** Whether it began with the checkpoint of an earlier lease. */
  resumed: boolean;
  /** Whether the disk of the node has no room, as the worker measured it. */
  nodeDiskFull: boolean;
}

/** What kept a run from its result. */
export type Mishap = { step: RunStep; code: ProblemCode } | { step: RunStep; target: TargetEnd };

/** What becomes of run and job; `summary` is for the reference page. */
export const followUps = {
  attempted:
    'the job is *attempted*: never again without a new version, another overlay of the farm (once each), or a person',
  'dep-wait': 'the job is *dep-wait*',
  'data-wait': 'the job is *data-wait*',
  'budget-wait': 'the job is *budget-wait*',
  elsewhere:
    'the run waits, and another node is tried first; the same end on a second node, and the job is *attempted*',
  'other-node':
    'the run waits, and never goes to this node again; the same end on a second node, and the job is *attempted*',
  'larger-class':
    'once, the job’s least device memory is raised to the next larger device of the farm; then the job is *attempted*',
  'from-start': 'the checkpoint is dropped, and the run waits to be trained from its beginning',
  pause: 'the run waits: 15 s, doubled by every further lease',
  cancelled: 'the run is cancelled',
} as const;
export type FollowUp = keyof typeof followUps;

export interface BlameRule {
  name: string;
  /** All that is given must hold. */
  when: {
    steps?: readonly RunStep[];
    /** Codes of wire/problems; a rule without them is about a target that ended badly. */
    codes?: readonly ProblemCode[];
    endedBy?: readonly (TargetLimit | 'cancelled')[];
    log?: RegExp;
    signal?: string;
    tempfail?: true;
    resumed?: true;
    nodeDiskFull?: true;
  };
  blame: Blame;
  /** Told instead of the mishap's own code, where it has one. */
  code?: ProblemCode;
  followUp: FollowUp;
  hint?: string;
  why: string;
}

/**
 * Texts of a device that is broken or gone. Sources: NVIDIA "XID Errors" r555 (`NVRM: Xid (PCI:…): 79, GPU has fallen off the bus`),
 * error strings of cudaGetErrorString (CUDA 12 runtime API: cudaErrorECCUncorrectable, cudaErrorNvlinkUncorrectable,
 * cudaErrorDevicesUnavailable), nvidia-smi ("GPU is lost"), the Vulkan specification.
 */
const brokenDevice =
  /NVRM: Xid \(|uncorrectable (?:ECC|NVLink) error|fallen off the bus|GPU is lost|double[- ]bit ECC|CUDA_ERROR_ECC_UNCORRECTABLE|cudaErrorECCUncorrectable|VK_ERROR_DEVICE_LOST|amdgpu: .{0,80}uncorrectable/i;

/** Texts of a driver that does not serve the device. Sources as above (cudaErrorNoDevice, cudaErrorInsufficientDriver …). */
const deadDriver =
  /no CUDA-capable device is detected|CUDA_ERROR_NO_DEVICE|CUDA driver version is insufficient|unsupported display driver \/ cuda driver combination|Driver\/library version mismatch|CUDA-capable devices? (?:\(s\) )?(?:are|is) busy or unavailable|couldn't communicate with the NVIDIA driver/i;

/**
 * Texts of a device without enough memory. Sources: PyTorch c10/cuda CUDACachingAllocator ("CUDA out of memory. Tried to allocate"),
 * TensorFlow BFC allocator ("OOM when allocating tensor … device:GPU:0"), cuBLAS, XLA, HIP, the Vulkan specification.
 */
const smallDevice =
  /(?:CUDA|HIP) out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|CUDA(?: runtime)? error:? out of memory|OOM when allocating tensor.{0,400}device:GPU|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: Out of memory.{0,200}(?:GPU|gpu|HBM)|VK_ERROR_OUT_OF_DEVICE_MEMORY/;

/** What the shell, make and the kernel say of a program that SIGKILL ended. */
const killed = /\bKilled\b|signal 9\b|SIGKILL|oom-kill|Out of memory: Killed process/;

export const blameRules: readonly BlameRule[] = [
  {
    name: 'cancelled',
    when: { endedBy: ['cancelled'] },
    blame: 'cancelled',
    code: 'run-cancelled',
    followUp: 'cancelled',
    why: 'a person asked for it',
  },
  {
    name: 'broken device',
    when: { log: brokenDevice },
    blame: 'node',
    code: 'device-fault',
    followUp: 'other-node',
    hint: 'Look at the kernel log of the node (dmesg: NVRM, amdgpu) and at nvidia-smi -q -d ECC.',
    why: 'the device says that it is broken; what it computes is worth nothing',
  },
  {
    name: 'no driver',
    when: { log: deadDriver },
    blame: 'node',
    code: 'device-fault',
    followUp: 'other-node',
    hint: 'Look at the driver of the node: nvidia-smi must list the device.',
    why: 'the device was promised, and its driver does not serve it',
  },
  {
    name: 'limit',
    when: { endedBy: targetLimits },
    blame: 'recipe',
    code: 'limit-exceeded',
    followUp: 'attempted',
    why: 'its own declared limits, or those that the farm sets for all',
  },
  {
    name: 'try elsewhere',
    when: { tempfail: true },
    blame: 'node',
    code: 'try-elsewhere',
    followUp: 'elsewhere',
    why: 'the recipe asks for it by a tempfail line; more than three in a run are its own fault',
  },
  {
    name: 'device too small',
    when: { log: smallDevice },
    blame: 'node',
    code: 'device-memory',
    followUp: 'larger-class',
    hint: 'Raise Gpu-Memory in debian/retrain/control to what the training takes, or lower its batch size.',
    why: 'the device is sound, but smaller than the training; a larger one is tried once',
  },
  {
    name: 'disk of the node',
    when: { log: /No space left on device|Disk quota exceeded/i, nodeDiskFull: true },
    blame: 'node',
    code: 'disk-full',
    followUp: 'elsewhere',
    hint: 'Make room under RETRAIND_WORK.',
    why: 'the worker looked: its disk is full, whatever the recipe was allowed',
  },
  {
    name: 'killed by the machine',
    when: { log: killed },
    blame: 'node',
    code: 'out-of-memory',
    followUp: 'elsewhere',
    hint: 'The kernel of the node ran out of memory, or somebody killed it there; if it happens everywhere, raise Memory in debian/retrain/control.',
    why: 'within its limits, and killed by nobody of the farm: the machine had less memory than it promised',
  },
  {
    name: 'killed by the machine, unsaid',
    when: { signal: 'SIGKILL' },
    blame: 'node',
    code: 'out-of-memory',
    followUp: 'elsewhere',
    hint: 'The kernel of the node ran out of memory, or somebody killed it there; if it happens everywhere, raise Memory in debian/retrain/control.',
    why: 'the same, where the whole sandbox was killed',
  },
  {
    name: 'failed after it was resumed',
    when: { resumed: true },
    blame: 'farm',
    code: 'resume-failed',
    followUp: 'from-start',
    hint: 'Let the target leave a checkpoint by renaming a whole file into $RETRAIN_CHECKPOINT, and pass over one that it cannot read.',
    why: 'it may be the checkpoint, which we interrupted; the recipe is judged by what it does from its beginning',
  },
  {
    name: 'failed',
    when: {},
    blame: 'recipe',
    code: 'recipe-failed',
    followUp: 'attempted',
    why: 'the target said so by its status, and would again',
  },
  {
    name: 'not to be had',
    when: { steps: ['fetch', 'unpack'], codes: ['not-found', 'digest-mismatch', 'data-wait'] },
    blame: 'data',
    followUp: 'data-wait',
    why: 'what the archive or the recipe names is not there, or not as pinned: it may come, so nobody is accused',
  },
  {
    name: 'package missing',
    when: { codes: ['dep-wait'] },
    blame: 'recipe',
    followUp: 'dep-wait',
    why: 'a package that the recipe needs is not installed',
  },
  {
    name: 'fault of the package',
    when: {
      codes: [
        'invalid-recipe',
        'invalid-deb822',
        'invalid-archive',
        'invalid-model',
        'invalid-data',
        'recipe-failed',
        'not-supported',
        'too-large',
      ],
    },
    blame: 'recipe',
    followUp: 'attempted',
    why: 'the package says or does it, and would again with the same inputs',
  },
  {
    name: 'data',
    when: { codes: ['data-wait', 'digest-mismatch'] },
    blame: 'data',
    followUp: 'data-wait',
    why: 'the declared data is out of reach or changed',
  },
  {
    name: 'device not as approved',
    when: { codes: ['device-fault', 'invalid-inventory'] },
    blame: 'node',
    followUp: 'other-node',
    why: 'the worker looked before the run, and its device was gone, sick or another one',
  },
  {
    name: 'placed too early',
    when: { codes: ['does-not-fit'] },
    blame: 'farm',
    followUp: 'pause',
    why: 'the archive’s index told less than the recipe, by whose wishes the run is placed from now on',
  },
  {
    name: 'fault of the node',
    when: { codes: ['sandbox-unavailable', 'tool-missing', 'disk-full'] },
    blame: 'node',
    followUp: 'elsewhere',
    why: 'this machine lacks something that another has',
  },
  {
    name: 'fault of the farm',
    when: {
      codes: [
        'network-unreachable',
        'farm-unreachable',
        'database-unavailable',
        'queue-unavailable',
        'invalid-index',
        'internal',
      ],
    },
    blame: 'farm',
    followUp: 'pause',
    why: 'our services or our code; the package has no part in it',
  },
];

/** What no rule names is the farm's: never accuse a package of what is not understood. */
const notUnderstood = { blame: 'farm', followUp: 'pause' } as const;

export interface Judgement {
  /** Name of the rule; null where none fits. */
  rule: string | null;
  blame: Blame;
  code: ProblemCode;
  hint: string | null;
  /** The line of the log that decided; null where none did. */
  said: string | null;
}

/** A line beyond this is cut where it is shown. */
const saidLength = 300;

const lineOf = (log: string, pattern: RegExp): string | null => {
  const at = pattern.exec(log)?.index;
  if (at === undefined) return null;
  const begin = log.lastIndexOf('\n', at) + 1;
  const end = log.indexOf('\n', at);
  return log
    .slice(begin, end === -1 ? undefined : end)
    .trim()
    .slice(0, saidLength);
};

const holds = ({ when }: BlameRule, mishap: Mishap): boolean => {
  if (when.steps && !when.steps.includes(mishap.step)) return false;
  if ('code' in mishap) return when.codes?.includes(mishap.code) ?? false;
  const { target } = mishap;
  return (
    !when.codes &&
    (!when.endedBy || (target.endedBy !== null && when.endedBy.includes(target.endedBy))) &&
    (!when.log || when.log.test(target.log)) &&
    (!when.signal || when.signal === target.signal) &&
    (!when.tempfail || target.tempfail !== null) &&
    (!when.resumed || target.resumed) &&
    (!when.nodeDiskFull || target.nodeDiskFull)
  );
};

/** The first rule that fits. */
export function judgeMishap(mishap: Mishap): Judgement {
  const rule = blameRules.find((candidate) => holds(candidate, mishap));
  const own = 'code' in mishap ? mishap.code : 'recipe-failed';
  return {
    rule: rule?.name ?? null,
    blame: rule?.blame ?? notUnderstood.blame,
    code: rule?.code ?? own,
    hint: rule?.hint ?? null,
    said: rule?.when.log && 'target' in mishap ? lineOf(mishap.target.log, rule.when.log) : null,
  };
}

const byBlame: Record<Blame, FollowUp> = {
  recipe: 'attempted',
  data: 'data-wait',
  node: 'elsewhere',
  farm: notUnderstood.followUp,
  budget: 'budget-wait',
  cancelled: 'cancelled',
};

/** What follows from a blame with a code: the table read backwards, for what a worker has reported. */
export const followUpOf = (blame: Blame, code: string): FollowUp =>
  blameRules.find(
    (rule) =>
      rule.blame === blame &&
      (rule.code === undefined ? (rule.when.codes as readonly string[]).includes(code) : rule.code === code),
  )?.followUp ?? byBlame[blame];

/** Codes after which a run never goes to that node again. */
export const excludingCodes: readonly string[] = [
  ...new Set(
    blameRules.flatMap(({ followUp, code, when }) =>
      followUp === 'other-node' ? (code === undefined ? (when.codes ?? []) : [code]) : [],
    ),
  ),
];

/** Lines of a failed target's log by which two failures are told to be alike. */
const comparedLines = 12;
/** A line beyond this is cut: what differs behind it makes no other failure. */
const comparedLength = 400;

/**
 * The end of a log without what differs from one node or minute to the next: numbers, addresses, blank lines. Two failures with
 * the same text and code are the same failure.
 */
export const failureText = (log: string): string =>
  log
    .split('\n')
    .map((line) =>
      line
        .slice(0, comparedLength)
        .replaceAll(/0x[0-9a-f]+/gi, '#')
        .replaceAll(/\d+(?:\.\d+)?/g, '#')
        .trim(),
    )
    .filter((line) => line !== '')
    .slice(-comparedLines)
    .join('\n');
