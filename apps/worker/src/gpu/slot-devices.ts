// The devices that a lease names, from the look before the run to what the run is given of them. Those of another slot, and those that
// nobody approved, are the machine's, too: the farm alone says which are the run's.
//
//   probe ──► named devices ──(the recipe is known)──► give: the first alternative that fits, its devices, their grant
import { acceleratorsOf, type Device } from '@retraind/shared/gpu/device';
import { type DeviceNeed, matchSlot, mismatch } from '@retraind/shared/gpu/match';
import { printWish } from '@retraind/shared/gpu/wish';
import { Problem } from '@retraind/shared/wire/problems';
import { EnergyMeter } from './energy.ts';
import type { Inventory } from './inventory.ts';
import type { Machine } from './machine.ts';
import { none } from './none.ts';
import { type DeviceGrant, type Reading, vendors } from './vendor.ts';

/** What a run has of the machine's devices. */
export interface GivenDevices {
  /** $RETRAIN_ACCELERATOR. */
  accelerator: string;
  /** What computes; none on a CPU. */
  devices: Device[];
  grant: DeviceGrant;
  /** Of the record: what the devices make of the run. */
  taints: string[];
  /** `Retrain-Device` of the record. */
  deviceText: string;
}

export class SlotDevices {
  readonly #inventory: Inventory;
  readonly #machine: Machine;

  constructor(inventory: Inventory, machine: Machine) {
    this.#inventory = inventory;
    this.#machine = machine;
  }

  /** The look before a run (Inventory.probe). */
  probe(deviceIds: readonly string[]): Promise<Reading[]> {
    return this.#inventory.probe(deviceIds);
  }

  /** `named`: as probed. Problem `does-not-fit` where no alternative fits them, `device-fault` where a device file is not there. */
  async give(need: DeviceNeed, named: readonly Reading[]): Promise<GivenDevices> {
    const offered = acceleratorsOf(named.map(({ device }) => device));
    const match = matchSlot(need, offered);
    if (!match.fits) {
      throw new Problem(
        'does-not-fit',
        `This slot does not fit the recipe, which ${mismatch(need, offered)}.`,
        'Where a CPU will do, let the field Accelerator end in `| none`.',
      );
    }
    const ids = match.devices.map(({ device }) => device!.deviceId);
    const readings = named.filter(({ device }) => ids.includes(device.deviceId));
    const devices = readings.map(({ device }) => device);
    const names = devices.map(({ name, deviceId }) => `${name} (${deviceId})`).join(', ');
    if (readings.length === 0) return this.#cpu('cpu');
    // No device of a recording is here: what it would have done, a CPU does, and the record says so.
    if (this.#inventory.replayedFrom !== null) {
      return this.#cpu(`cpu, for ${names} of the replayed inventory ${this.#inventory.replayedFrom}`);
    }
    const vendor = vendors.find(({ name }) => name === devices[0]!.vendor)!;
    return {
      accelerator: printWish(match.wish),
      devices,
      grant: await vendor.grant(readings, this.#machine),
      // CUDA and the driver that it needs are non-free; ROCm, Level Zero and Mesa are free.
      taints: vendor.name === 'nvidia' ? ['non-free-accelerator'] : [],
      deviceText: names,
    };
  }

  async #cpu(deviceText: string): Promise<GivenDevices> {
    return {
      accelerator: 'none',
      devices: [],
      grant: await none.grant([], this.#machine),
      taints: this.#inventory.replayedFrom === null ? [] : ['replayed-inventory'],
      deviceText,
    };
  }

  meter({ devices }: GivenDevices): EnergyMeter {
    return new EnergyMeter(
      devices.map(({ deviceId }) => deviceId),
      () => this.#inventory.look(),
    );
  }
}
