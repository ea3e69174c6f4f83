// What a run may take at most on this farm, whatever its recipe says. The lower of the two limits holds.
export interface FarmLimits {
  /** Of all targets of a run together. */
  seconds: number;
  silenceSeconds: number;
  logBytes: number;
  /** Of $RETRAIN_OUT. */
  outputBytes: number;
  diskBytes: number;
  /** Of $RETRAIN_CHECKPOINT; a larger one is not kept. */
  checkpointBytes: number;
}

/** buildd's logs rarely pass 4 MiB; a training that prints every step passes 16. */
export const defaultFarmLimits: FarmLimits = {
  seconds: 14 * 86_400,
  silenceSeconds: 86_400,
  logBytes: 16 * 2 ** 20,
  outputBytes: 16 * 2 ** 30,
  diskBytes: 2 ** 40,
  checkpointBytes: 4 * 2 ** 30,
};
