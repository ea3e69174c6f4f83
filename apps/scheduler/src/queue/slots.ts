// One BullMQ queue per slot, opened when the slot is first rung, all over one shared connection.
import { type Ring, ringId, ringName, ringOptions, slotQueue } from '@retraind/shared/wire/doorbell';
import { Problem } from '@retraind/shared/wire/problems';

/** As much of BullMQ's Queue as a bell uses, the same for every backend. */
interface SlotQueue {
  add(
    name: string,
    data: Ring,
    options: { jobId: string; attempts: number; removeOnComplete: boolean; removeOnFail: boolean },
  ): Promise<unknown>;
  close(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A ring that takes longer is given up; the reconciler rings again. */
const ringTimeoutMilliseconds = 5_000;

/** Rejects with Problem `queue-unavailable` when `work` fails or takes too long. */
export async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), ringTimeoutMilliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } catch (cause) {
    throw new Problem(
      'queue-unavailable',
      `the queue does not answer: ${(cause as Error).message}`,
      undefined,
      {
        cause,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

export class SlotQueues {
  readonly #queues = new Map<string, SlotQueue>();
  readonly #open: (name: string) => SlotQueue;
  readonly #onTrouble: (error: Error) => void;

  constructor(open: (name: string) => SlotQueue, onTrouble: (error: Error) => void) {
    this.#open = open;
    this.#onTrouble = onTrouble;
  }

  async ring(nodeId: string, slot: number, ring: Ring): Promise<void> {
    const name = slotQueue(nodeId, slot);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = this.#open(name);
      queue.on('error', this.#onTrouble);
      this.#queues.set(name, queue);
    }
    try {
      await withinTime(queue.add(ringName, ring, { jobId: ringId(ring), ...ringOptions }));
    } catch (error) {
      // BullMQ remembers a failed first connection for ever: a fresh queue is made for the next ring.
      this.#queues.delete(name);
      void queue.close().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
  }
}
