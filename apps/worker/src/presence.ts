// Tells the farm that this node is here, at the start and then every so often: an idle worker has nothing else to say, and a
// node that is silent gets no runs.

import { cpus, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeInventory } from '@retraind/shared/wire/messages';
import type { NodeReport } from '@retraind/shared/wire/node';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';
import { tellSelf } from './http-farm-client.ts';
import type { NodeKey } from './node-key.ts';
import { readVitals } from './vitals.ts';

/** Well under the time after which the scheduler takes a silent node for gone. */
const presentSeconds = 10;

export interface PresenceOptions {
  api: string;
  key: NodeKey;
  /** Of the moment. */
  inventory: () => Promise<NodeInventory>;
  /** What the node claims of itself (RETRAIND_TAGS). */
  tags: string[];
  /** RETRAIND_WORK: its disk and cache are told. */
  work: string;
  signal: AbortSignal;
  log: Logger;
}

/** What does not change while the machine is up. */
export const machineOf = (
  inventory: NodeInventory,
): Pick<NodeReport, 'inventory' | 'cores' | 'memoryBytes'> => ({
  inventory,
  cores: Math.max(1, cpus().length),
  memoryBytes: totalmem(),
});

/** Runs until the signal; never rejects. */
export async function keepPresent({
  api,
  key,
  inventory,
  tags,
  work,
  signal,
  log,
}: PresenceOptions): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    try {
      const report = { ...machineOf(await inventory()), tags, vitals: await readVitals(work) };
      await tellSelf({ api, key, signal, patienceSeconds: presentSeconds }, report);
      if (last !== 'known') log.info({ api }, 'the farm knows this node');
      last = 'known';
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof Problem ? error.code : 'internal';
      // Said once, not every ten seconds for a weekend.
      if (code !== last) {
        log.warn(
          { code, detail: (error as Error).message, publicKey: key.publicKeyPem },
          'the farm does not take this node',
        );
      }
      last = code;
    }
    await delay(presentSeconds * 1_000, undefined, { signal }).catch(() => undefined);
  }
}
