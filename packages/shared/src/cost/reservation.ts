// What a run that gets a slot will be billed by, and what is set aside for it in the budgets meanwhile.
//
//   on devices   GPU-hours: hours × devices            on a CPU slot   CPU-hours: hours of the slot, whatever cores it uses,
//                                                                      for a slot is what it keeps from others
import type { Accelerator } from '../gpu/accelerator.ts';
import type { BilledUnit, Demand } from '../policy/world.ts';
import { wattsOf } from './energy.ts';

export interface Reservation {
  /** Devices that it gets; 0 on a CPU slot. */
  gpus: number;
  /** Their names; null on a CPU slot. */
  device: string | null;
  /** In the unit that it is billed in. */
  hours: number;
  /** Power that an estimate of its energy assumes. */
  watts: number;
}

/** The unit for this many devices. */
export const unitOf = (gpus: number): BilledUnit => (gpus > 0 ? 'gpu' : 'cpu');

/** Expected length of a run; its time limit where nobody has timed one; 0 where that is unknown too. */
export const reservedSecondsOf = ({
  estimateSeconds,
  timeLimitSeconds,
}: Pick<Demand, 'estimateSeconds' | 'timeLimitSeconds'>): number => estimateSeconds || timeLimitSeconds;

/** `devices`: those that the run gets of its slot; [] for a CPU. */
export function reservationOf(
  demand: Pick<Demand, 'estimateSeconds' | 'timeLimitSeconds'>,
  devices: readonly Accelerator[],
): Reservation {
  const names = devices.map(({ name }) => name);
  const gpus = devices.length;
  return {
    gpus,
    device: gpus === 0 ? null : names.join(', '),
    hours: (reservedSecondsOf(demand) / 3_600) * Math.max(gpus, 1),
    watts: wattsOf(names),
  };
}

/** For a run of which nothing is known, on a CPU slot. */
export const nothingReserved: Reservation = reservationOf({ estimateSeconds: 0, timeLimitSeconds: 0 }, []);
