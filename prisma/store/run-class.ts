// In which class a run computes, and in which one a run must that is compared with it bit by bit: equal bytes, or other ones, say
// something of seed and data only where machine and architecture are the same (shared/gpu/class).
import type { Accelerator } from '@retraind/shared/gpu/accelerator';
import { classFor } from '@retraind/shared/gpu/class';
import type { DeviceNeed } from '@retraind/shared/gpu/match';
import type { RunPlace } from '@retraind/shared/job/run-place';
import type { Transaction } from '../client.ts';
import type { OpenLease } from './lease-end.ts';

type Seeded = Pick<RunPlace, 'seedIndex' | 'declaredSeed' | 'numerics'>;
const seedKey = ({ seedIndex, declaredSeed, numerics }: Seeded): string =>
  `${seedIndex} ${declaredSeed} ${numerics}`;

/**
 * The places, each with the class that it is bound to: for a rerun and a dependence run that of the first run on whole data with the same
 * seed and arithmetic that has reported; null where there is none, and for every fresh retrain.
 */
export const boundPlaces = async (
  tx: Transaction,
  jobId: string,
  places: readonly RunPlace[],
): Promise<(RunPlace & { class: string | null })[]> => {
  const classes = new Map<string, string>();
  if (places.some(({ purpose }) => purpose !== 'retrain')) {
    const told = await tx.$queryRaw<(Seeded & { class: string })[]>`
      SELECT DISTINCT ON (seed_index, declared_seed, numerics)
        seed_index AS "seedIndex", declared_seed AS "declaredSeed", numerics, lease.class
      FROM run JOIN lease USING (run_id, lease_epoch)
      WHERE job_id = ${jobId} AND run.state = 'reported' AND purpose <> 'dependence' AND lease.class IS NOT NULL
      ORDER BY seed_index, declared_seed, numerics, run.ended_at, run_id`;
    for (const one of told) classes.set(seedKey(one), one.class);
  }
  return places.map((place) => {
    const known = place.purpose === 'retrain' ? undefined : classes.get(seedKey(place));
    return { ...place, class: known ?? null };
  });
};

/** Keeps the class in which a lease computes: by what its recipe needs, and the devices that it may have. */
export const recordClass = async (
  tx: Transaction,
  { runId, leaseEpoch }: OpenLease,
  need: DeviceNeed,
): Promise<void> => {
  const where = { runId_leaseEpoch: { runId, leaseEpoch } };
  const { deviceIds, node } = await tx.lease.findUniqueOrThrow({
    where,
    select: { deviceIds: true, node: { select: { class: true, accelerators: true } } },
  });
  const accelerators = (node.accelerators as unknown as Accelerator[]).filter(({ device }) =>
    deviceIds.includes(device?.deviceId ?? ''),
  );
  const [machine] = node.class.split('+', 1);
  await tx.lease.update({ where, data: { class: classFor(machine!, need, accelerators) } });
};
