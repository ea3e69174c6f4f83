// A bound on what strangers may ask: a bucket of tokens that fills with time, one an address and one for all. Of this process,
// and forgotten with it: it protects the farm's time, not a secret.
import { Problem } from '@retraind/shared/wire/problems';

interface Bucket {
  tokens: number;
  at: number;
}

/** Addresses remembered at once; beyond that the oldest are forgotten, and the bucket for all still holds. */
const mostAddresses = 10_000;

export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();
  readonly #all: Bucket;
  readonly #perMinute: { address: number; all: number };

  constructor(perMinute: { address: number; all: number }, now = performance.now()) {
    this.#perMinute = perMinute;
    this.#all = { tokens: perMinute.all, at: now };
  }

  /** Takes one request of an address. Throws Problem `busy` where it asks too often, or all together do. `now` in milliseconds. */
  take(address: string, now = performance.now()): void {
    const { address: mine, all } = this.#perMinute;
    const bucket = this.#buckets.get(address) ?? { tokens: mine, at: now };
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    const oldest = this.#buckets.keys().next().value;
    if (this.#buckets.size > mostAddresses && oldest !== undefined) this.#buckets.delete(oldest);
    if (!drawn(bucket, mine, now) || !drawn(this.#all, all, now)) {
      throw new Problem('busy', 'Too many requests to enrol nodes.', 'Ask again in a minute.');
    }
  }
}

function drawn(bucket: Bucket, perMinute: number, now: number): boolean {
  bucket.tokens = Math.min(perMinute, bucket.tokens + ((now - bucket.at) / 60_000) * perMinute);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}
