// What devices this worker's machine has: asked of the machine, or read from a recording. Taken at the start and before each
// run; what has changed between the two is the node's fault, never the package's.
import { type Device, faultsOfDevices } from '@retraind/shared/gpu/device';
import { Problem } from '@retraind/shared/wire/problems';
import type { Machine } from './machine.ts';
import { readRecording } from './recording.ts';
import { type Reading, type Vendor, vendors } from './vendor.ts';

const drivers = '/usr/share/vulkan/icd.d';

const hasVulkan = (machine: Machine, vendor: Vendor): boolean =>
  machine.names(drivers).some((file) => vendor.vulkanDrivers.some((name) => file.startsWith(name)));

/** A way to learn the devices; `replayedFrom` names the recording. */
export interface InventorySource {
  replayedFrom: string | null;
  take(): Promise<Reading[]>;
}

/** Asks the machine. */
export const machineInventory = (machine: Machine): InventorySource => ({
  replayedFrom: null,
  async take() {
    const readings: Reading[] = [];
    for (const vendor of vendors) {
      const outputs = await vendor.look(machine);
      if (outputs !== null) readings.push(...vendor.read(outputs, hasVulkan(machine, vendor)));
    }
    return readings;
  },
});

/** Reads the recording anew each time, as the machine is asked anew. A recording does not tell of Vulkan: its driver is taken as installed. */
export const replayedInventory = (folder: string): InventorySource => ({
  replayedFrom: readRecording(folder).name,
  async take() {
    const { recording, outputs } = readRecording(folder);
    const vendor = vendors.find(({ name }) => name === recording.vendor);
    if (vendor === undefined) {
      throw new Problem(
        'invalid-config',
        `${folder} is of the vendor ${recording.vendor}, which is unknown.`,
      );
    }
    return vendor.read(outputs, true);
  },
});

const freshMilliseconds = 60_000;

/** The inventory of a worker's lifetime. */
export class Inventory {
  readonly replayedFrom: string | null;
  readonly #source: InventorySource;
  readonly #begun: readonly Device[];
  #latest: readonly Reading[];
  readonly #clock: () => number;
  #lookedAt: number;

  private constructor(source: InventorySource, readings: readonly Reading[], clock: () => number) {
    this.#clock = clock;
    this.#lookedAt = clock();
    this.replayedFrom = source.replayedFrom;
    this.#source = source;
    this.#begun = readings.map(({ device }) => device);
    this.#latest = readings;
  }

  /** `clock`: milliseconds since any moment. */
  static async open(source: InventorySource, clock = (): number => performance.now()): Promise<Inventory> {
    return new Inventory(source, await source.take(), clock);
  }

  /** Of the latest look. */
  get devices(): Device[] {
    return this.#latest.map(({ device }) => device);
  }

  /** For the sign of life: looked at again once a minute. A machine that cannot be asked has the devices that it began with, all with that fault. */
  async current(): Promise<Device[]> {
    if (this.#clock() - this.#lookedAt < freshMilliseconds) return this.devices;
    try {
      await this.look();
      return this.devices;
    } catch (error) {
      this.#lookedAt = this.#clock();
      const fault = (error as Error).message.slice(0, 256);
      this.#latest = this.#latest.map((reading) => ({
        ...reading,
        device: { ...reading.device, faults: [fault] },
      }));
      return this.devices;
    }
  }

  /** Looks again. */
  async look(): Promise<readonly Reading[]> {
    this.#latest = await this.#source.take();
    this.#lookedAt = this.#clock();
    return this.#latest;
  }

  /**
   * Looks again before a run, and gives the devices that it is to have, by their ids. Problem `device-fault` where one of them is not
   * there, has a fault, or has another driver or memory than when the worker began.
   */
  async probe(deviceIds: readonly string[]): Promise<Reading[]> {
    const now = await this.look();
    const faults = faultsOfDevices(
      deviceIds,
      this.#begun,
      now.map(({ device }) => device),
    );
    if (faults.length > 0) {
      throw new Problem(
        'device-fault',
        `The devices are not those that the run is to have: ${faults.join('; ')}.`,
        'Mend the device or restart the machine, then restart the worker.',
      );
    }
    return now.filter(({ device }) => deviceIds.includes(device.deviceId));
  }
}
