// A bound on what strangers may ask, shared by all api processes (prisma/store/enrolment-rate). It protects the farm's time, not a
// secret: who was refused is refused again for a moment without asking the database.
import type { Database } from '@retraind/prisma/client';
import { forget, type RequestRate, take } from '@retraind/prisma/store/enrolment-rate';
import { Problem } from '@retraind/shared/wire/problems';

const pauseMilliseconds = 1_000;
const forgetMilliseconds = 60_000;
/** Addresses remembered at once; beyond that all are forgotten, and the database still holds. */
const mostAddresses = 10_000;

/** Takes one request of an address; throws Problem `busy` where it asks too often, or all together do. */
export function enrolmentLimit(db: Database, perMinute: RequestRate): (address: string) => Promise<void> {
  const refusedUntil = new Map<string, number>();
  let forgetAt = performance.now() + forgetMilliseconds;
  return async (address) => {
    const now = performance.now();
    const isPaused = now < (refusedUntil.get(address) ?? 0);
    if (isPaused || !(await take(db, address, perMinute))) {
      if (refusedUntil.size >= mostAddresses) refusedUntil.clear();
      if (!isPaused) refusedUntil.set(address, now + pauseMilliseconds);
      throw new Problem('busy', 'Too many requests to enrol nodes.', 'Ask again in a minute.');
    }
    if (now < forgetAt) return;
    forgetAt = now + forgetMilliseconds;
    refusedUntil.clear();
    await forget(db);
  };
}
