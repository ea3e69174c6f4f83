// The ledger of the infeasible: models that no farm like this can retrain, each with reason, evidence, what a retrain would cost,
// who reviewed it, and when it must be looked at again. An entry speaks until it expires or a person removes it.
import type { TrainingEstimate } from '../cost/training.ts';

export const ledgerReasons = ['no-data', 'data-deleted', 'data-licence', 'no-parameters', 'cost'] as const;
export type LedgerReason = (typeof ledgerReasons)[number];

export const reasonWords: Record<LedgerReason, string> = {
  'no-data': 'the training data was never published',
  'data-deleted': 'the training data is gone',
  'data-licence': 'the training data may not be used or passed on',
  'no-parameters': 'how it was trained was not kept',
  cost: 'a retrain costs more than a farm can spend',
};

export interface LedgerEntry {
  ledgerId: number;
  source: string;
  /** Null: all models of the package. */
  model: string | null;
  reason: LedgerReason;
  /** What is known, for people. */
  detail: string;
  /** Addresses of public documents; may be empty. */
  evidence: string[];
  /** Null where nobody can say. */
  estimate: TrainingEstimate | null;
  reviewer: string;
  reviewedAt: Date;
  expiresAt: Date;
  removedAt: Date | null;
}

export const isInForce = ({ expiresAt, removedAt }: LedgerEntry, now: Date): boolean =>
  removedAt === null && expiresAt > now;

/**
 * The entry that keeps a job of this package from running: one of the whole package, else (where the models are known) entries that
 * together name every model; null for none. Models that are named one by one do not stop the others.
 */
export function refusingEntry(
  entries: readonly LedgerEntry[],
  source: string,
  models: readonly string[] | null,
  now: Date,
): LedgerEntry | null {
  const ours = entries.filter((entry) => entry.source === source && isInForce(entry, now));
  const whole = ours.find(({ model }) => model === null);
  if (whole) return whole;
  if (models === null || models.length === 0) return null;
  const named = models.map((name) => ours.find(({ model }) => model === name));
  return named.every((entry) => entry !== undefined) ? named[0]! : null;
}

/** One sentence: why a job is auto-not-for-us. */
export const refusalOf = ({ reason, detail, ledgerId, expiresAt }: LedgerEntry): string =>
  `ledger entry ${ledgerId}, until ${expiresAt.toISOString().slice(0, 10)}: ${reasonWords[reason]}: ${detail}`;
