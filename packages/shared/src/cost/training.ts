// What training a large model costs, where nobody has timed it: 6·N·D floating-point operations for N parameters over D tokens
// (forward 2·N·D, backward 4·N·D; Kaplan et al. 2020, https://arxiv.org/abs/2001.08361, section 2.1), over the rate that a device
// sustains. Large runs sustain about 0.3 to 0.5 of the peak (46 % in Chowdhery et al. 2022, https://arxiv.org/abs/2204.02311).

/** A device that estimates are made for. */
export interface ReferenceDevice {
  name: string;
  /** Dense bfloat16, floating-point operations a second, from the vendor's data sheet. */
  peakFlops: number;
  watts: number;
}

/** NVIDIA H100 SXM: 989 TFLOP/s dense bfloat16, 700 W. */
export const referenceDevice: ReferenceDevice = { name: 'NVIDIA H100 SXM', peakFlops: 989e12, watts: 700 };

/** Shares of the peak that training sustains: the pessimist's, the one that is counted with, the optimist's. */
export const sustainedShares = { least: 0.3, middle: 0.4, most: 0.5 } as const;

export interface TrainingInputs {
  /** N: parameters that are trained. */
  parameters: number;
  /** D: tokens (or patches of pictures) that training reads, repetitions counted. */
  tokens: number;
  /** Where N and D come from. */
  basis: string;
}

/** Of one training run; a job has three to ten. */
export interface TrainingEstimate extends TrainingInputs {
  device: string;
  gpuHours: number;
  /** With the optimist's and the pessimist's rate. */
  gpuHoursRange: [number, number];
  kilowattHours: number;
}

const flopsPerParameterAndToken = 6;

/** Throws RangeError for counts that are not positive and finite. */
export function trainingEstimate(inputs: TrainingInputs, device = referenceDevice): TrainingEstimate {
  const { parameters, tokens } = inputs;
  for (const count of [parameters, tokens]) {
    if (!(count > 0 && Number.isFinite(count))) throw new RangeError(`${count} is no count`);
  }
  const hoursAt = (share: number): number =>
    (flopsPerParameterAndToken * parameters * tokens) / (device.peakFlops * share) / 3_600;
  const gpuHours = hoursAt(sustainedShares.middle);
  return {
    ...inputs,
    device: device.name,
    gpuHours,
    gpuHoursRange: [hoursAt(sustainedShares.most), hoursAt(sustainedShares.least)],
    kilowattHours: (gpuHours * device.watts) / 1_000,
  };
}
