// Energy of a run where its device tells none (gpu/device: EnergySource): power times time, marked as estimated wherever it shows.

/**
 * Board power in watts, by a part of the device's name, the more special first. From the vendors' data sheets (TDP, TBP): what the
 * board draws at most, so an estimate from it is an upper one.
 */
const boardWatts: readonly (readonly [name: RegExp, watts: number])[] = [
  [/\bH200\b/i, 700],
  [/\bH100\b.*PCIe/i, 350],
  [/\bH100\b/i, 700],
  [/\bB200\b/i, 1_000],
  [/\bA100\b.*PCIe.*80/i, 300],
  [/\bA100\b.*PCIe/i, 250],
  [/\bA100\b/i, 400],
  [/\bL40S\b/i, 350],
  [/\bL40\b/i, 300],
  [/\bL4\b/i, 72],
  [/\bA40\b/i, 300],
  [/\bA10\b/i, 150],
  [/\bV100\b.*PCIe/i, 250],
  [/\bV100\b/i, 300],
  [/\bT4\b/i, 70],
  [/\bP100\b/i, 250],
  [/RTX 5090/i, 575],
  [/RTX 4090/i, 450],
  [/RTX 3090/i, 350],
  [/RTX 2080 Ti/i, 250],
  [/MI300X/i, 750],
  [/MI250X?/i, 560],
  [/MI210/i, 300],
  [/MI100/i, 300],
  [/Radeon.*7900 XTX/i, 355],
  [/Radeon.*6900 XT/i, 300],
];

/** Of a device that the table does not name: the middle of the boards that farms use. */
export const unknownBoardWatts = 300;

/** Of a CPU slot, which is one core of a server: 280 W of an EPYC 7763 over its 64 cores is 4.4, doubled for memory, disks and losses. */
export const cpuSlotWatts = 9;

/** Power that an estimate assumes for these devices; a CPU slot where there are none. */
export const wattsOf = (deviceNames: readonly string[]): number =>
  deviceNames.length === 0
    ? cpuSlotWatts
    : deviceNames.reduce(
        (sum, device) => sum + (boardWatts.find(([name]) => name.test(device))?.[1] ?? unknownBoardWatts),
        0,
      );

/** Grams of CO2 equivalent; null where no admin has said how many a kWh costs. */
export const gramsCo2eOf = (wattHours: number, gramsPerKwh: number | null): number | null =>
  gramsPerKwh === null ? null : (wattHours / 1_000) * gramsPerKwh;
