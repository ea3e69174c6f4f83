// The worker: one process per slot. Its own event loop never runs a package's code, or heartbeats and locks would stand still.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '@retraind/host/config';
import { markName } from '@retraind/host/run-mark';
import { Problem } from '@retraind/shared/wire/problems';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { uploadSeconds } from './beat.ts';
import { workerNotes, workerOptions } from './config.ts';
import { program } from './farm-connection.ts';
import { Inventory, machineInventory, replayedInventory } from './gpu/inventory.ts';
import { openMachine } from './gpu/machine.ts';
import { SlotDevices } from './gpu/slot-devices.ts';
import { sweepSlot } from './leftovers.ts';
import { loadNodeKey } from './node-key.ts';
import { keepPresent } from './presence.ts';
import { findPrograms } from './programs.ts';
import { answerRings } from './queue/answer.ts';
import { withNodePassword } from './queue/redis-user.ts';
import { keepSlot, newMark } from './sandbox/keeper.ts';
import { openSandbox } from './sandbox/sandbox.ts';
import { serveRing } from './slot.ts';

const config = loadConfig('worker', workerOptions, workerNotes);
const queue = config.redisUrl
  ? { redisUrl: config.redisUrl }
  : config.queueUrl
    ? { queueUrl: config.queueUrl }
    : null;
if (queue === null || (config.redisUrl && config.queueUrl)) {
  console.error('worker: give one of REDIS_URL and RETRAIND_QUEUE_URL');
  process.exit(2);
}
const { slot, work } = config;
const api = config.api!;
const log = pino({ name: 'worker', level: config.logLevel, base: { pid: process.pid, slot } });
const shutdown = new AbortController();

const machine = openMachine();

/** What must be right before this slot may be offered work. */
async function prepare() {
  const key = loadNodeKey(config.nodeKeyFile);
  const { keeper, ended } = await keepSlot(work, slot);
  const leftovers = await sweepSlot(work, slot);
  if (ended.length + leftovers.length > 0) log.info({ ended, leftovers }, 'swept what a dead worker left');
  // What is started outside the sandbox (apt, tar, dpkg-source) inherits the mark, and ends with this worker too.
  process.env[markName] = newMark(keeper);
  const sandbox = openSandbox(config.sandbox, { keeper });
  await sandbox.check();
  const cache = join(work, 'cache');
  await mkdir(cache, { recursive: true });
  const source = config.inventory ? replayedInventory(config.inventory) : machineInventory(machine);
  const inventory = await Inventory.open(source);
  return { key, sandbox, inventory, programs: await findPrograms(cache, config.tfjsNode ?? null) };
}

const { key, sandbox, inventory, programs } = await prepare().catch((error: unknown) => {
  if (!(error instanceof Problem)) throw error;
  console.error(`worker: ${error.detail}${error.hint ? `\n  hint: ${error.hint}` : ''}`);
  process.exit(error.exitCode);
});
// The public key as JSON writes it: what an admin registers the node with (docs/how-to/run-a-farm.md).
log.info(
  {
    nodeId: key.nodeId,
    publicKey: key.publicKeyPem,
    api,
    sandbox: sandbox.name,
    taints: sandbox.taints,
    devices: inventory.devices,
    replayedFrom: inventory.replayedFrom,
  },
  'starting',
);

const present = keepPresent({
  api,
  key,
  inventory: async () => ({
    devices: await inventory.current(),
    replayedFrom: inventory.replayedFrom,
    program: program,
  }),
  tags: config.tags ?? [],
  work,
  signal: shutdown.signal,
  log,
});
const answering = answerRings({
  where: config.redisUrl ? { redisUrl: withNodePassword(config.redisUrl, key) } : queue,
  nodeId: key.nodeId,
  slot,
  onRing: (ring) =>
    serveRing(ring, {
      api,
      key,
      slot,
      work,
      sandbox,
      programs,
      devices: new SlotDevices(inventory, machine),
      parallel: config.parallel,
      limits: {
        seconds: config.timeLimitSeconds,
        silenceSeconds: config.silenceLimitSeconds,
        logBytes: config.logLimitBytes,
        outputBytes: config.outputLimitBytes,
        diskBytes: config.diskLimitBytes,
        checkpointBytes: config.checkpointLimitBytes,
      },
      checkpointSeconds: config.checkpointSeconds,
      stopGraceSeconds: config.stopGraceSeconds,
      shutdown: shutdown.signal,
      log,
    }),
  onTrouble: (error) => {
    if (!shutdown.signal.aborted) log.warn({ err: error }, 'trouble with the queue');
  },
  signal: shutdown.signal,
});
answering.then(
  () => log.info({ nodeId: key.nodeId }, 'listening'),
  (error) => shutdown.signal.aborted || log.fatal({ err: error }, 'cannot listen'),
);

// The sandbox's processes get their time to end, and the farm hears that the run is given back.
closeWithGrace(
  { delay: (config.stopGraceSeconds + uploadSeconds + 3) * 1_000, logger: false },
  async ({ err }) => {
    if (err) log.fatal({ err }, 'unexpected error');
    shutdown.abort();
    await answering.then((queueSide) => queueSide.close()).catch(() => undefined);
    await present;
  },
);
