// Options of the worker; infra/conf/worker.conf lists them, and a test compares.
import {
  choiceOption,
  logLevelOption,
  numberOption,
  requiredText,
  textOption,
  urlOption,
  wordsOption,
} from '@retraind/host/config';
import { mostTags, tagPattern } from '@retraind/shared/node/tags';
import { defaultFarmLimits } from './farm-limits.ts';

export const workerOptions = {
  api: urlOption('RETRAIND_API', ['http', 'https'], { help: 'address of the farm’s api', required: true }),
  redisUrl: urlOption('REDIS_URL', ['redis', 'rediss'], {
    help: 'Redis of the queue, with this node’s own ACL user (a user without password: the password comes from the node key); or else RETRAIND_QUEUE_URL',
    secret: true,
  }),
  queueUrl: urlOption('RETRAIND_QUEUE_URL', ['postgresql', 'postgres'], {
    help: 'PostgreSQL of the queue, with a role that reaches the schema bullmq only; for trusted hosts',
    secret: true,
  }),
  nodeKeyFile: requiredText('RETRAIND_NODE_KEY_FILE', {
    help: 'ed25519 key of this node (PKCS #8 PEM); made at the first start',
    fallback: '/var/lib/retraind/node.key',
  }),
  slot: numberOption(
    'RETRAIND_SLOT',
    { least: 0, most: 1_023, whole: true },
    { help: 'which slot of the node this process serves, from 0', fallback: '0' },
  ),
  work: requiredText('RETRAIND_WORK', {
    help: 'folder for runs and the cache of datasets; runs lie in runs/slot-N',
    fallback: '/var/lib/retraind/work',
  }),
  sandbox: choiceOption('RETRAIND_SANDBOX', ['bwrap', 'none'] as const, {
    help: 'what confines the package’s code; none is for development, and taints each run',
    fallback: 'bwrap',
  }),
  parallel: numberOption(
    'RETRAIND_PARALLEL',
    { least: 1, most: 1_024, whole: true },
    { help: 'cores that a recipe may use on this slot', fallback: '1' },
  ),
  tfjsNode: textOption('RETRAIND_TFJS_NODE', {
    help: 'folder that infra/gpu/install-tfjs-node printed: retrain-tfjs then trains by TensorFlow; without it, by WebAssembly',
  }),
  inventory: textOption('RETRAIND_INVENTORY', {
    help: 'folder of a recorded inventory to be told instead of the machine’s own; for trials: shown as replayed, and taints each run',
  }),
  tags: wordsOption(
    'RETRAIND_TAGS',
    { pattern: new RegExp(tagPattern), most: mostTags },
    { help: 'what this node claims of itself, spaces between; of no effect until an admin says it too' },
  ),
  ...limitOptions(),
  logLevel: logLevelOption(),
};

/** What the farm allows any run, whatever its recipe says, and how a run that leaves is waited for. */
function limitOptions() {
  const { seconds, silenceSeconds, logBytes, outputBytes, diskBytes, checkpointBytes } = defaultFarmLimits;
  const bytes = (name: string, help: string, fallback: number, most = 2 ** 50) =>
    numberOption(name, { least: 65_536, most, whole: true }, { help, fallback: String(fallback) });
  const time = (name: string, help: string, fallback: number) =>
    numberOption(name, { least: 1, most: 366 * 86_400 }, { help, fallback: String(fallback) });
  return {
    timeLimitSeconds: time(
      'RETRAIND_TIME_LIMIT_SECONDS',
      'longest training of any run, whatever its recipe says',
      seconds,
    ),
    silenceLimitSeconds: time(
      'RETRAIND_SILENCE_LIMIT_SECONDS',
      'longest silence of any run, whatever its recipe says',
      silenceSeconds,
    ),
    logLimitBytes: bytes(
      'RETRAIND_LOG_LIMIT_BYTES',
      'what a run’s targets may write as log; the api takes 64 MiB at most',
      logBytes,
      48 * 2 ** 20,
    ),
    outputLimitBytes: bytes(
      'RETRAIND_OUTPUT_LIMIT_BYTES',
      'what a run may leave in $RETRAIN_OUT',
      outputBytes,
    ),
    diskLimitBytes: bytes(
      'RETRAIND_DISK_LIMIT_BYTES',
      'disk of any run, whatever its recipe says',
      diskBytes,
    ),
    checkpointLimitBytes: bytes(
      'RETRAIND_CHECKPOINT_LIMIT_BYTES',
      'a larger checkpoint is not kept',
      checkpointBytes,
    ),
    checkpointSeconds: numberOption(
      'RETRAIND_CHECKPOINT_SECONDS',
      { least: 0.1, most: 86_400 },
      { help: 'how often a changed checkpoint is kept with the farm while a run trains', fallback: '300' },
    ),
    stopGraceSeconds: numberOption(
      'RETRAIND_STOP_GRACE_SECONDS',
      { least: 0, most: 3_600 },
      {
        help: 'how long a run may take to write a checkpoint when this worker is told to stop; whoever stops it must wait 7 s longer',
        fallback: '8',
      },
    ),
  };
}

/** Warnings that `--check-config` prints. */
export const workerNotes = (config: { queueUrl?: string; sandbox: string; inventory?: string }): string[] => [
  ...(config.queueUrl
    ? [
        'RETRAIND_QUEUE_URL: the queue in PostgreSQL does not part nodes from each other: for trusted hosts only',
      ]
    : []),
  ...(config.inventory ? ['RETRAIND_INVENTORY: the devices are a recording’s, not this machine’s'] : []),
  ...(config.sandbox === 'none' ? ['RETRAIND_SANDBOX=none: the package’s code is not confined'] : []),
];
