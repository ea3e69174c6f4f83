// Tells the farm that this node is here, at the start and then every so often: an idle worker has nothing else to say, and a
// node that is silent gets no runs.
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeInventory } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import type { Logger } from 'pino';
import { tellInventory } from './http-farm-client.ts';
import type { NodeKey } from './node-key.ts';

/** Well under the time after which the scheduler takes a silent node for gone. */
const presentSeconds = 10;

export interface PresenceOptions {
  api: string;
  key: NodeKey;
  /** Of the moment. */
  inventory: () => Promise<NodeInventory>;
  signal: AbortSignal;
  log: Logger;
}

/** Runs until the signal; never rejects. */
export async function keepPresent({ api, key, inventory, signal, log }: PresenceOptions): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    try {
      await tellInventory({ api, key, signal, patienceSeconds: presentSeconds }, await inventory());
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
