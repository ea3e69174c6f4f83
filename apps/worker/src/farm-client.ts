// What a run needs of a farm. Two forms: a local folder (`retrain run`, no server) and the API over HTTP (a worker on a
// node). The steps know only this interface, so a run at home and a run on the farm are the same code.
import type {
  Assignment,
  Heartbeat,
  HeartbeatAnswer,
  RecipeFound,
  ReportOutcome,
} from '@retraind/shared/wire/messages';

type Epochless<T> = Omit<T, 'leaseEpoch'>;

export interface FarmClient {
  /** What the lease asks for. Throws Problem `lease-lost` when the epoch is old. */
  takeAssignment(): Promise<Assignment>;
  heartbeat(beat: Epochless<Heartbeat>): Promise<HeartbeatAnswer>;
  /** Tells the recipe that was found after unpacking; the farm may refuse it (Problem `invalid-recipe`). */
  tellRecipe(found: Epochless<RecipeFound>): Promise<void>;
  appendLog(text: string): Promise<void>;
  appendMetrics(text: string): Promise<void>;
  /** Stores a file by its digest; does nothing when the farm has it. */
  putArtifact(path: string): Promise<{ sha256: string; bytes: number }>;
  /** Fetches a file by digest into `path`, digest checked. */
  getArtifact(sha256: string, path: string): Promise<void>;
  /** Names a stored file as the checkpoint with which the run's next lease is to begin. */
  keepCheckpoint(sha256: string): Promise<void>;
  /** Ends the lease. A second call for the same lease is refused by the farm. */
  report(outcome: ReportOutcome): Promise<void>;
}
