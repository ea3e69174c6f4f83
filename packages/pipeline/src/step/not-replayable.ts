// Why a step cannot be recorded and replayed. It is no fault: the step then runs as it is written.

/** Names the operation, and the line of the recipe where it is known. */
export class NotReplayable extends Error {
  override readonly name = 'NotReplayable';
}
