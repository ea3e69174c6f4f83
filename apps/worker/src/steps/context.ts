// What every step of a run is given. The steps know no farm but FarmClient: a run at home and a run on the farm are the
// same code.
import type { Apt } from '@retraind/host/apt';
import type { RunStep } from '@retraind/shared/job/states';
import type { Assignment } from '@retraind/shared/wire/messages';
import type { FarmClient } from '../farm-client.ts';
import type { FarmLimits } from '../farm-limits.ts';
import type { SlotDevices } from '../gpu/slot-devices.ts';
import type { Programs } from '../programs.ts';
import type { RunFolders } from '../run-folders.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** Where the source comes from: the suite's archive, or a place on this machine. */
export type SourceOrigin =
  | { kind: 'archive' }
  | { kind: 'tree'; folder: string }
  | { kind: 'dsc'; path: string };

/** A recipe kept beside the package: by digest on the farm, a folder at home. */
export type OverlayOrigin = { kind: 'artifact'; sha256: string } | { kind: 'folder'; path: string } | null;

export interface RunContext {
  readonly nodeId: string;
  readonly assignment: Assignment;
  readonly origin: SourceOrigin;
  readonly overlay: OverlayOrigin;
  /** A file that is judged in place of the shipped one (`--reference`). */
  readonly referenceFile: string | null;
  readonly farm: FarmClient;
  readonly sandbox: Sandbox;
  readonly programs: Programs;
  /** Of the slot that the run is on. */
  readonly devices: SlotDevices;
  readonly folders: RunFolders;
  /** Outlives the run and is shared by the slots of a node: data by digest, evidence of references. */
  readonly cache: string;
  /** The suite's archive; its lists are renewed when it is first asked for. */
  readonly archive: () => Promise<Apt>;
  /** N of DEB_BUILD_OPTIONS=parallel=N. */
  readonly parallel: number;
  /** What the farm allows any run. */
  readonly limits: FarmLimits;
  /** How often the checkpoint is kept while the target trains; Infinity where only when the run leaves. */
  readonly checkpointSeconds: number;
  /** Aborted when the run has to stop at once. */
  readonly signal: AbortSignal;
  /** Aborted when it is to leave its slot, with its checkpoint; its reason is a LeaveAsked. */
  readonly leave: AbortSignal;
  /** A line or more for the run's log. */
  readonly say: (text: string) => void;
  /** What goes on: for heartbeats and progress bars. Fraction of the step, where it is known. */
  readonly progress: (step: RunStep, fraction: number | null) => void;
}
