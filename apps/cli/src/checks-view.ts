// Checks of nodes by a job's runs, a line each: what for, and what came of it.
import type { NodeCheck } from '@retraind/shared/wire/node-check';
import type { Output } from './output.ts';

export const checkLines = (checks: readonly NodeCheck[], { color }: Pick<Output, 'color'>): string[] => [
  ...(checks.length > 0 ? [color.bold('checks of nodes, newest first; no verdict waits for them:')] : []),
  ...checks.map(({ runId, reason, outcome, contradicts }) => {
    const accused = contradicts.length === 0 ? '' : `; two others contradict ${contradicts.join(', ')}`;
    return `  run ${runId}: ${reason}: ${outcome ?? 'to come'}${accused}`;
  }),
];
