// Lets the faults of faults.ts happen to the fleet, one after the other, until the story is over.
import { ProbeStream } from '../verdict/probe-stream.ts';
import type { Chronicle } from './chronicle.ts';
import type { EventQueue } from './event-queue.ts';
import { type Fault, type FaultLevel, faultKinds, faultsOf } from './faults.ts';
import type { Fleet } from './fleet-play.ts';
import type { SimulationInput } from './settings.ts';

/** A split network cuts off at most this share of the nodes. */
const largestSplit = 1 / 3;
/** Clocks are off by up to so many seconds, ahead or behind. */
const largestSkewSeconds = 600;

interface Stage {
  isOver(): boolean;
  /** Nobody leads for so long. */
  noTickFor(milliseconds: number): void;
}

export class FaultPlay {
  readonly #seed: string;
  readonly #queue: EventQueue;
  readonly #chronicle: Chronicle;
  readonly #fleet: Fleet;
  readonly #stage: Stage;

  constructor(
    { seed }: SimulationInput,
    queue: EventQueue,
    chronicle: Chronicle,
    fleet: Fleet,
    stage: Stage,
  ) {
    this.#seed = seed;
    this.#queue = queue;
    this.#chronicle = chronicle;
    this.#fleet = fleet;
    this.#stage = stage;
  }

  begin(level: Exclude<FaultLevel, 'none'>): void {
    const count = { slot: this.#fleet.slots.length, node: this.#fleet.nodes.length, farm: 1 };
    for (const kind of faultKinds) {
      const faults = faultsOf(kind, level, this.#seed, count);
      const next = (): void => {
        const fault = faults.next().value;
        this.#queue.at(Math.round(fault.atSeconds * 1_000), () => {
          if (this.#stage.isOver()) return;
          this.#happen(fault);
          next();
        });
      };
      next();
    }
  }

  #happen({ kind, durationSeconds, index, extent }: Fault): void {
    const fleet = this.#fleet;
    const milliseconds = Math.max(1_000, Math.round(durationSeconds * 1_000));
    this.#chronicle.fault(`${kind} ${index} ${milliseconds}`, kind);
    switch (kind) {
      case 'lost-worker':
        fleet.die(fleet.slots[index]!, milliseconds);
        break;
      case 'lost-node':
        for (const worker of fleet.nodes[index]!.workers) fleet.die(worker, milliseconds);
        break;
      case 'stopped-worker':
        fleet.stop(fleet.slots[index]!, milliseconds, extent < 0.5);
        break;
      case 'slow-disk':
        fleet.slowDisk(fleet.nodes[index]!, milliseconds);
        break;
      case 'ecc':
        fleet.breakDevice(fleet.slots[index]!);
        break;
      case 'clock-skew':
        fleet.skewClock(fleet.nodes[index]!, Math.round((2 * extent - 1) * largestSkewSeconds), milliseconds);
        break;
      case 'split-network':
        for (const node of this.#pick(extent)) fleet.mute(node, 'split-network', milliseconds);
        break;
      case 'queue-flushed':
        this.#chronicle.figures.ringsLost += fleet.flushQueue(milliseconds);
        break;
      case 'scheduler-lost':
        this.#stage.noTickFor(milliseconds);
        break;
      case 'farm-away':
        this.#stage.noTickFor(milliseconds);
        for (const node of fleet.nodes) fleet.mute(node, 'farm-away', milliseconds);
        break;
    }
  }

  /** Nodes that hang on one switch. */
  #pick(extent: number): Fleet['nodes'] {
    const { nodes } = this.#fleet;
    const stream = new ProbeStream(this.#seed, `split-${extent}`);
    const size = Math.max(1, Math.round(extent * largestSplit * nodes.length));
    return stream.sample(nodes.length, size).map((index) => nodes[index]!);
  }
}
