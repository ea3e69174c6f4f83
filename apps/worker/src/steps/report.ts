// Step 6: the lease ends with one report. Everything it names was stored before.

import type { RunStep } from '@retraind/shared/job/states';
import type { RunOutcome } from '@retraind/shared/wire/messages';
import type { Breakage } from '../breakage.ts';
import type { RunContext } from './context.ts';

const sentenceLength = 4_000;

export const brokenOutcome = (step: RunStep, { blame, problem, failureSha256 }: Breakage): RunOutcome => ({
  kind: 'broken',
  blame,
  step,
  code: problem.code,
  detail: problem.detail.slice(0, sentenceLength),
  hint: problem.hint?.slice(0, sentenceLength) ?? null,
  ...(failureSha256 !== undefined && { failureSha256 }),
});

export const reportStep = async (context: RunContext, outcome: RunOutcome): Promise<RunOutcome> => {
  context.progress('report', null);
  await context.farm.report(outcome);
  return outcome;
};
