// What every route needs of the farm, made once by main (or a test) and handed to the app.
import type { ArtifactStore } from '@retraind/host/artifacts';
import type { Database } from '@retraind/prisma/client';
import type { WorldMemory } from '@retraind/prisma/store/world-memory';
import type { LiveFiles } from './live-files.ts';
import type { EventStreams } from './sse.ts';

export interface Farm {
  db: Database;
  artifacts: ArtifactStore;
  live: LiveFiles;
  streams: EventStreams;
  /** A lease that is not heard of for longer is lost. */
  leaseSeconds: number;
  /** How often a worker is to be heard. */
  heartbeatSeconds: number;
  /** The world by the scheduler's policy, as far as somebody asked for an explanation. */
  memory: WorldMemory;
  /** Grams of CO2 equivalent that a kWh costs here; null where no admin has said. */
  gramsPerKwh: number | null;
  /** How long a target may take to write a checkpoint when its run is to leave its slot. */
  graceSeconds: number;
}
