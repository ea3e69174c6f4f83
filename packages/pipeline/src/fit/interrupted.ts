// A training that was told to end (SIGTERM) and has written its checkpoint. main.ts ends the process by it.

/** Ends with 143, as a process that SIGTERM ends; the metrics file says that the farm may try again. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly status = 143;
}
