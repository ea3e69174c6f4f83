// What a set of verdicts means to a script: the exit code of the CLI (docs/reference/cli.md).
import { exitCodes } from '../wire/problems.ts';
import type { ModelVerdict, Rung } from './evidence.ts';

/** Worst first: a difference is an alarm; what cannot be verified at all is worse than what more runs may settle. */
const worstFirst: readonly (readonly [Rung, number])[] = [
  ['different', exitCodes.different],
  ['not-verifiable', exitCodes.notVerifiable],
  ['inconclusive', exitCodes.inconclusive],
];

/** 6, 8 or 7 for the worst rung among the verdicts; 0 where every model is bit-identical, the same run or equivalent. */
export const exitCodeOf = (verdicts: readonly Pick<ModelVerdict, 'rung'>[]): number =>
  worstFirst.find(([rung]) => verdicts.some((verdict) => verdict.rung === rung))?.[1] ?? exitCodes.done;
