// What was tried without a result, a line each: when, where, whose fault, why.
import type { Attempt } from '@retraind/shared/wire/resources';
import type { Output } from './output.ts';

/** Lines shown; the API has more. */
const shown = 10;

export const attemptLines = (attempts: readonly Attempt[], { color }: Pick<Output, 'color'>): string[] => [
  ...(attempts.length > 0 ? [color.bold('tried without a result, newest first:')] : []),
  ...attempts
    .slice(0, shown)
    .map(({ endedAt, runId, leaseEpoch, nodeName, outcome, blame, step, detail }) => {
      const where = `run ${runId} lease ${leaseEpoch} on ${nodeName}`;
      const whose = blame === null ? 'nobody’s fault' : `blame ${blame}`;
      return `  ${endedAt}  ${where}: ${outcome}, ${whose}${step === null ? '' : `, at ${step}`}: ${detail}`;
    }),
  ...(attempts.length > shown ? [`  … and ${attempts.length - shown} more, with --json`] : []),
];
