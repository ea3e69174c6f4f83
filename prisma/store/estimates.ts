// What runs of a source took: pilots that people recorded, and the farm's own runs.
import { estimateOf, mostTimings, type RunEstimate, type Timing } from '@retraind/shared/cost/estimate';
import type { Connection, Database } from '../client.ts';
import { note } from './audit.ts';

interface TimingRow extends Timing {
  source: string;
}

export interface Timings {
  pilots: Timing[];
  earlier: Timing[];
}

/** Timings by source, newest first. Runs on either arithmetic count: they differ in rounding, not in work. */
export const timingsOf = async (
  db: Connection,
  sources: readonly string[],
): Promise<Map<string, Timings>> => {
  const found = new Map<string, Timings>(sources.map((source) => [source, { pilots: [], earlier: [] }]));
  if (sources.length === 0) return found;
  const [pilots, earlier] = await Promise.all([
    db.$queryRaw<TimingRow[]>`
      SELECT source, version, unnest(seconds) AS seconds, gpus, device FROM pilot
      WHERE source = ANY(${[...sources]}::text[]) ORDER BY pilot_id DESC`,
    db.$queryRaw<TimingRow[]>`
      SELECT source, version, seconds, gpus, device FROM (
        SELECT job.source, job.version, EXTRACT(EPOCH FROM lease.ended_at - lease.started_at)::float8 AS seconds, lease.gpus,
          lease.device, lease.ended_at, row_number() OVER (PARTITION BY job.source ORDER BY lease.ended_at DESC) AS place
        FROM lease JOIN run USING (run_id) JOIN job USING (job_id)
        WHERE lease.outcome = 'reported' AND job.source = ANY(${[...sources]}::text[])
      ) AS newest WHERE place <= ${mostTimings}::int ORDER BY ended_at DESC`,
  ]);
  for (const { source, ...timing } of pilots) found.get(source)?.pilots.push(timing);
  for (const { source, ...timing } of earlier) found.get(source)?.earlier.push(timing);
  return found;
};

export const estimateFor = async (db: Connection, source: string, version: string): Promise<RunEstimate> => {
  const { pilots, earlier } = (await timingsOf(db, [source])).get(source)!;
  return estimateOf(version, pilots, earlier);
};

export interface PilotToRecord {
  source: string;
  version: string;
  /** Of each training, start to end. */
  seconds: number[];
  /** Devices that a training used; 0 for a CPU. */
  gpus: number;
  device: string;
}

export const recordPilot = (
  db: Database,
  pilot: PilotToRecord,
  { actor, reason }: { actor: string; reason: string },
): Promise<void> =>
  db.$transaction(async (tx) => {
    await tx.pilot.create({ data: { ...pilot, recordedBy: actor } });
    const { source, ...facts } = pilot;
    await note(tx, { actor, deed: 'pilots.record', subject: `package:${source}`, reason, facts });
  });
