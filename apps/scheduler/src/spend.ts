// The hard stop of budgets. A run is placed only where what is set aside for it fits; one that takes longer than that, while its
// budget has no more, is asked to leave its slot: it keeps its checkpoint, and goes on when there is room again.
import type { Database } from '@retraind/prisma/client';
import * as budgets from '@retraind/prisma/store/budgets';
import * as leave from '@retraind/prisma/store/leave';
import type { Logger } from 'pino';

/** Returns how many runs were asked to leave. */
export async function stopOverspent({ db, log }: { db: Database; log: Logger }): Promise<number> {
  let asked = 0;
  for (const { runId, leaseEpoch, account } of await budgets.overrunning(db)) {
    const reason = `The budget of ${account} is spent, and the run has used what was set aside for it.`;
    if (!(await leave.ask(db, { runId, leaseEpoch, code: 'preempted', reason, actor: 'scheduler' })))
      continue;
    log.warn({ runId, leaseEpoch, account }, 'run stopped for its budget');
    asked++;
  }
  return asked;
}
