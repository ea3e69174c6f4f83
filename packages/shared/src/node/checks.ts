// Which seed is trained again on another node, so that broken nodes are found though seeds are distinct (decision 0236):
//
//   spot        a small share of all results, drawn by the run's id
//   suspicion   results of a node that was contradicted once
//   tie-break   two nodes differ: a third one has to tell, once
//
// The farm pays for it, no verdict waits for it or rests on it.
import { createHash } from 'node:crypto';
import type { SchedulingPolicy } from '../policy/world.ts';
import { groupsOf, isIrreproducible, type SeedResult } from './quarantine.ts';

export const checkKinds = ['spot', 'suspicion', 'tie-break'] as const;
export type CheckKind = (typeof checkKinds)[number];

/** `not-made`: its run broke or was cancelled. */
export const checkOutcomes = ['agrees', 'differs', 'not-made'] as const;
export type CheckOutcome = (typeof checkOutcomes)[number];

/** After a contradiction so many of the node's results must agree before it is checked like any other again. */
export const agreeingChecksThatClear = 5;

/** A reported run, as far as it matters whether it is made again. */
export interface CheckedRun {
  runId: string;
  trainSeconds: number;
  /** Whether its node was contradicted, and has not been cleared since. */
  isSuspect: boolean;
}

/** Where in [0, 1) a run lies: the same for everybody who asks, and known to nobody before the run has its id. */
const lotOf = (runId: string): number =>
  createHash('sha256').update(`check/${runId}`).digest().readUInt32BE(0) / 2 ** 32;

/** Whether a result is to be made again on another node, and why; null: no. */
export const checkDue = (
  { runId, trainSeconds, isSuspect }: CheckedRun,
  { spotCheckShare, spotCheckHours }: Pick<SchedulingPolicy, 'spotCheckShare' | 'spotCheckHours'>,
): 'spot' | 'suspicion' | null => {
  if (spotCheckShare === 0 || trainSeconds > spotCheckHours * 3_600) return null;
  if (isSuspect) return 'suspicion';
  return lotOf(runId) < spotCheckShare ? 'spot' : null;
};

/** Two nodes that differ for one seed, and nobody else has trained it. */
export interface Tie {
  /** Oldest first. */
  runIds: string[];
  nodeIds: [string, string];
}

/**
 * Ties among the results of one job. None where its recipe was shown not to be reproducible: a third node would tell nothing. Models of
 * one run make one tie.
 */
export function tiesOf(results: readonly SeedResult[]): Tie[] {
  const ties = new Map<string, Tie>();
  for (const group of groupsOf(results)) {
    const nodeIds = [...new Set(group.map(({ nodeId }) => nodeId))].sort();
    const differ = new Set(group.map(({ sha256 }) => sha256)).size > 1;
    const [{ setting } = { setting: '' }] = group;
    if (nodeIds.length !== 2 || !differ) continue;
    if (isIrreproducible(results.filter((one) => one.setting === setting))) continue;
    const runIds = [...group]
      .sort((a, b) => a.endedAt.getTime() - b.endedAt.getTime() || (a.runId < b.runId ? -1 : 1))
      .map(({ runId }) => runId);
    ties.set(runIds.join(' '), { runIds, nodeIds: nodeIds as [string, string] });
  }
  return [...ties.values()];
}
