// How often strangers may ask to enrol: a bucket of tokens that fills with time, one an address and one for all, in the database, so
// that several api processes, on several machines, share them. Its clock is the database's.
import type { Database } from '../client.ts';

export interface RequestRate {
  /** Requests a minute: of one address, of all together. */
  address: number;
  all: number;
}

/** The bucket of all addresses; no address is written so. */
const everybody = 'all';

/** The bucket for all was empty: nothing is drawn from that of the address either. */
class NoneLeft extends Error {}

/** Draws one request of an address. False where it asks too often, or all together do: then nothing is drawn. */
export const take = async (db: Database, address: string, perMinute: RequestRate): Promise<boolean> => {
  try {
    return await db.$transaction(async (tx) => {
      // The address first, everybody last: no two wait for each other, and the row that all want is held for the shortest time.
      const draw = (of: string, rate: number): Promise<number> => tx.$executeRaw`
        INSERT INTO enrolment_bucket AS bucket (address, tokens) VALUES (${of}, ${rate}::float8 - 1)
        ON CONFLICT (address) DO UPDATE SET at = GREATEST(bucket.at, now()), tokens = LEAST(${rate}::float8,
            bucket.tokens + GREATEST(0, extract(epoch FROM now() - bucket.at)) / 60 * ${rate}::float8) - 1
          WHERE LEAST(${rate}::float8,
            bucket.tokens + GREATEST(0, extract(epoch FROM now() - bucket.at)) / 60 * ${rate}::float8) >= 1`;
      if ((await draw(address, perMinute.address)) === 0) return false;
      if ((await draw(everybody, perMinute.all)) === 0) throw new NoneLeft();
      return true;
    });
  } catch (error) {
    if (error instanceof NoneLeft) return false;
    throw error;
  }
};

/** Forgets buckets that are full again. Returns how many. */
export const forget = (db: Database): Promise<number> => db.$executeRaw`
  DELETE FROM enrolment_bucket WHERE address IN (
    SELECT address FROM enrolment_bucket WHERE at < now() - interval '1 minute' FOR UPDATE SKIP LOCKED)`;
