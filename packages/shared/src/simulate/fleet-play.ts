// The nodes of a simulated farm at work: their workers, what each can reach, what it has in its cache, what is broken.

import { claimsFault, tokenLifeSeconds } from '../attest/node-token.ts';
import { matchSlot } from '../gpu/match.ts';
import { ProbeStream } from '../verdict/probe-stream.ts';
import type { Chronicle } from './chronicle.ts';
import type { EventQueue } from './event-queue.ts';
import { drawMilliseconds, repair, slowDiskFactor } from './faults.ts';
import { worldNodeOf } from './fleet.ts';
import { brokenDevice, planOf } from './outcomes.ts';
import type { Holder, JobRow, RunRow } from './rows.ts';
import { beganAt, type SimulationInput } from './settings.ts';
import type { Truth } from './truth.ts';
import { type Cause, type Execution, type Plan, SlotWorker } from './worker.ts';
import type { SimulatedJob } from './workload.ts';

/** Datasets that a node's cache holds; the oldest goes. */
const cachedDatasets = 64;
/** Data that is late comes after a day. */
const dataComesAfter = 86_400_000;

export interface PlayedNode {
  index: number;
  workers: SlotWorker[];
  /** Slots with a device that is broken until an admin has been there. */
  brokenSlots: Set<number>;
  diskIsSlow: boolean;
  clockIsOff: boolean;
  /** The very Date of the node in the scheduler's world. */
  seenAt: Date;
}

interface FleetParts {
  input: SimulationInput;
  queue: EventQueue;
  truth: Truth;
  chronicle: Chronicle;
  specOf: (job: JobRow) => SimulatedJob;
  expects: (holder: Holder, at: number) => void;
  changed: () => void;
}

export class Fleet {
  readonly nodes: PlayedNode[];
  /** Rings that are put in before this time are lost. */
  queueLostUntil = 0;
  readonly #parts: FleetParts;
  readonly #byId = new Map<string, PlayedNode>();
  readonly #repairs: ProbeStream;
  readonly #arrivalMilliseconds: number;
  readonly #busy = { device: 0, slot: 0 };

  constructor(parts: FleetParts) {
    const { input, truth } = parts;
    this.#parts = parts;
    this.#repairs = new ProbeStream(input.seed, 'repairs');
    this.#arrivalMilliseconds = input.arrivalSeconds * 1_000;
    this.nodes = input.nodes.map((spec, index) => {
      const seenAt = new Date(beganAt);
      const world = { ...worldNodeOf(spec, index), seenAt };
      truth.register(world);
      const workers = spec.slots.map(({ slot }) => this.#workerOf(world.nodeId, slot));
      const node = {
        ...{ index, workers, brokenSlots: new Set<number>() },
        ...{ diskIsSlow: false, clockIsOff: false, seenAt },
      };
      this.#byId.set(world.nodeId, node);
      return node;
    });
    parts.chronicle.judgePlaceable((run) => this.couldTake(run));
  }

  get slots(): SlotWorker[] {
    return this.nodes.flatMap(({ workers }) => workers);
  }

  get isIdle(): boolean {
    return this.nodes.every(({ workers }) => workers.every(({ execution }) => execution === null));
  }

  /** Share of the slots' time in which they worked while jobs arrived, wasted or not. */
  utilisation(): { device: number; cpu: number } {
    const count = { device: 0, cpu: 0 };
    for (const { slots } of this.#parts.input.nodes) {
      for (const { accelerators } of slots) count[accelerators.length > 0 ? 'device' : 'cpu']++;
    }
    const share = (busy: number, slots: number): number =>
      slots === 0 ? 0 : busy / (slots * this.#arrivalMilliseconds);
    return { device: share(this.#busy.device, count.device), cpu: share(this.#busy.slot, count.cpu) };
  }

  /** Slots at work now. */
  busy(): { device: number; cpu: number } {
    const busy = { device: 0, cpu: 0 };
    for (const { nodeId, slot, execution } of this.slots) {
      if (execution !== null) busy[this.#hasDevices(nodeId, slot) ? 'device' : 'cpu']++;
    }
    return busy;
  }

  worker(nodeId: string, slot: number): SlotWorker {
    return this.#byId.get(nodeId)!.workers[slot]!;
  }

  /** A node is seen while one of its workers can speak. Its time is set in place: a sign of life changes nothing else of a node. */
  markSeen(): void {
    const now = beganAt + this.#parts.queue.now;
    for (const { workers, seenAt } of this.nodes) {
      if (workers.some(({ speaks }) => speaks)) seenAt.setTime(now);
    }
  }

  /** Tells how old the checkpoints of running runs are, as the farm's rows would; in place, as it changes nothing else of a run. */
  markKept(): void {
    for (const worker of this.slots) {
      const at = worker.keptAt;
      if (at === null) continue;
      const { runId, leaseEpoch } = worker.execution!.holder;
      const { tenure } = this.#parts.truth.runs.get(runId)!.world;
      if (tenure?.leaseEpoch === leaseEpoch) tenure.keptAt = new Date(beganAt + at);
    }
  }

  /** Whether a node of this farm could take the run when it is idle. */
  couldTake({ job, world: { excludedNodes } }: RunRow): boolean {
    const { demand } = job.world;
    return this.#parts.input.nodes.some(
      (node, index) =>
        excludedNodes.every(({ nodeId }) => nodeId !== this.#idOf(this.nodes[index]!)) &&
        (demand.machines.length === 0 || demand.machines.includes(node.class.split('+')[0]!)) &&
        (node.memoryBytes ?? Number.POSITIVE_INFINITY) >= demand.memoryBytes &&
        node.slots.some(({ accelerators }) => matchSlot(demand, accelerators).fits),
    );
  }

  slowDisk(node: PlayedNode, milliseconds: number): void {
    if (node.diskIsSlow) return;
    node.diskIsSlow = true;
    for (const worker of node.workers) worker.setDisk(slowDiskFactor);
    this.#parts.queue.after(milliseconds, () => {
      node.diskIsSlow = false;
      for (const worker of node.workers) worker.setDisk(1);
    });
  }

  breakDevice(worker: SlotWorker): void {
    if (!this.#hasDevices(worker.nodeId, worker.slot)) return;
    this.#byId.get(worker.nodeId)!.brokenSlots.add(worker.slot);
    worker.breakDevice(brokenDevice);
  }

  /** Sets a node's clock off. What it sends is refused where its tokens are too old or too young for the farm. */
  skewClock(node: PlayedNode, skewSeconds: number, milliseconds: number): void {
    if (node.clockIsOff) return;
    const nowSeconds = Math.floor((beganAt + this.#parts.queue.now) / 1_000);
    const iat = nowSeconds + skewSeconds;
    const request = { method: 'POST', path: '/api/v1/nodes/self', bodySha256: '' };
    const claims = { ...request, nodeId: this.#idOf(node), nonce: '', iat, exp: iat + tokenLifeSeconds };
    if (claimsFault(claims, request, nowSeconds) === null) return;
    node.clockIsOff = true;
    this.mute(node, 'clock-skew', milliseconds, () => {
      node.clockIsOff = false;
    });
  }

  /** Nothing that the node's workers say arrives for a time. */
  mute(node: PlayedNode, cause: Cause, milliseconds: number, after?: () => void): void {
    for (const worker of node.workers) worker.silence(cause);
    this.#parts.queue.after(milliseconds, () => {
      for (const worker of node.workers) worker.speak(cause);
      after?.();
      this.#parts.changed();
    });
  }

  die(worker: SlotWorker, milliseconds: number): void {
    if (worker.isAsleep) return;
    worker.die('lost-worker');
    this.#wakeLater(worker, 'lost-worker', milliseconds);
  }

  stop(worker: SlotWorker, milliseconds: number, childGoesOn: boolean): void {
    if (worker.isAsleep) return;
    worker.stop(childGoesOn);
    this.#wakeLater(worker, 'stopped-worker', milliseconds);
  }

  flushQueue(milliseconds: number): number {
    this.queueLostUntil = this.#parts.queue.now + milliseconds;
    return this.slots.reduce((sum, worker) => sum + worker.flush(), 0);
  }

  /** An admin comes, looks, mends and lets the node go on. */
  mendLater(nodeId: string): void {
    const { queue, truth, chronicle, changed } = this.#parts;
    queue.after(drawMilliseconds(this.#repairs, repair), () => {
      truth.resume(nodeId);
      this.#byId.get(nodeId)!.brokenSlots.clear();
      chronicle.trace.line(`resumed ${nodeId}`);
      changed();
    });
  }

  #wakeLater(worker: SlotWorker, cause: Cause, milliseconds: number): void {
    this.#parts.queue.after(milliseconds, () => {
      worker.wake(cause);
      this.#parts.changed();
    });
  }

  #idOf({ workers }: PlayedNode): string {
    return workers[0]!.nodeId;
  }

  #hasDevices(nodeId: string, slot: number): boolean {
    return this.#parts.truth.nodes.get(nodeId)!.world.slots[slot]!.accelerators.length > 0;
  }

  #workerOf(nodeId: string, slot: number): SlotWorker {
    const { input, queue, truth, expects, changed } = this.#parts;
    const stream = new ProbeStream(input.seed, `worker-${nodeId}/${slot}`);
    return new SlotWorker(nodeId, slot, {
      ...{ queue, truth, expects, changed },
      leaseSeconds: input.leaseSeconds,
      heartbeatSeconds: input.heartbeatSeconds,
      checkpointSeconds: input.checkpointSeconds,
      random: () => stream.uniform(),
      plan: (holder) => this.#plan(holder, slot),
      kept: (_, execution, milliseconds) => this.#kept(execution, slot, milliseconds),
      ended: (worker, execution, cause) => this.#ended(worker, execution, cause),
    });
  }

  #plan(holder: Holder, slot: number): Plan {
    const { input, queue, truth, specOf } = this.#parts;
    const run = truth.runs.get(holder.runId)!;
    const { world } = truth.nodes.get(holder.nodeId)!;
    const match = matchSlot(run.job.world.demand, world.slots[slot]!.accelerators);
    const used = match.fits ? match.devices : [];
    return planOf(input.seed, holder, {
      run,
      spec: specOf(run.job),
      hasData: run.job.world.datasetDigests.every((digest) => world.datasetDigests.includes(digest)),
      deviceBytes: used.length > 0 ? Math.min(...used.map(({ memoryBytes }) => memoryBytes)) : null,
      hasBrokenDevice: used.length > 0 && this.#byId.get(holder.nodeId)!.brokenSlots.has(slot),
      dataCame: queue.now - run.job.requestedAt >= dataComesAfter,
    });
  }

  #kept({ holder, plan, kept }: Execution, slot: number, milliseconds: number): boolean {
    const { truth, chronicle } = this.#parts;
    if (!truth.keep(holder, plan.resumedMilliseconds + milliseconds)) return false;
    chronicle.figures.kept(holder.runId, this.#devicesOf(holder, slot), milliseconds - kept);
    return true;
  }

  /** Devices that a run uses on a slot. */
  #devicesOf({ runId, nodeId }: Holder, slot: number): number {
    const { truth } = this.#parts;
    const { accelerators } = truth.nodes.get(nodeId)!.world.slots[slot]!;
    const match = matchSlot(truth.runs.get(runId)!.job.world.demand, accelerators);
    return match.fits ? match.devices.length : 0;
  }

  #ended(worker: SlotWorker, execution: Execution, cause: Cause | null): void {
    const { queue, truth, chronicle } = this.#parts;
    const { holder, plan, startedAt, phase, kept } = execution;
    const { nodeId, slot } = worker;
    const row = truth.nodes.get(nodeId)!;
    const { job, keptMilliseconds } = truth.runs.get(holder.runId)!;
    const devices = this.#devicesOf(holder, slot);
    const spent = queue.now - startedAt;
    const delay = Math.max(0, spent - (plan.fetchSeconds + plan.trainSeconds) * 1_000);
    const milliseconds = cause === null ? spent : spent - kept;
    chronicle.figures.executed(holder.runId, { devices, milliseconds, delay, cause });
    // A lease that comes to its result is of use as a whole.
    if (cause === null && kept > 0) chronicle.figures.kept(holder.runId, devices, -kept);
    if (cause !== null && keptMilliseconds === 0) chronicle.figures.droppedCheckpoint(holder.runId);
    chronicle.trace.line(`over ${holder.runId} ${holder.leaseEpoch} ${nodeId}/${slot} ${cause ?? 'done'}`);
    const inWindow =
      Math.min(queue.now, this.#arrivalMilliseconds) - Math.min(startedAt, this.#arrivalMilliseconds);
    this.#busy[this.#hasDevices(nodeId, slot) ? 'device' : 'slot'] += inWindow;
    const fresh =
      phase === 'fetch' ? [] : plan.datasetDigests.filter((d) => !row.world.datasetDigests.includes(d));
    if (fresh.length > 0) {
      const datasetDigests = [...row.world.datasetDigests, ...fresh].slice(-cachedDatasets);
      truth.setNode(nodeId, { datasetDigests });
    }
    if (cause === null) truth.learn(job, Math.ceil((spent + plan.resumedMilliseconds) / 1_000));
    if (cause === 'data')
      queue.after(dataComesAfter, () => truth.moveJob(job, 'needs-retrain', 'the data came'));
  }
}
