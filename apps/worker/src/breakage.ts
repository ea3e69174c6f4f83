// Why a run broke, and whose fault that is: the one exception that the steps throw on purpose. What the blame leads to
// (attempted, data-wait, give back) is decided by the scheduler.
import { judgeMishap } from '@retraind/shared/job/blame-rules';
import type { Blame, RunStep } from '@retraind/shared/job/states';
import { Problem, type ProblemCode } from '@retraind/shared/wire/problems';

export class Breakage extends Error {
  override readonly name = 'Breakage';
  readonly blame: Blame;
  readonly problem: Problem;
  /** Digest of what the target said last (job/blame-rules failureText); absent where none failed. */
  readonly failureSha256: string | undefined;

  constructor(blame: Blame, problem: Problem, failureSha256?: string) {
    super(problem.detail, { cause: problem });
    this.blame = blame;
    this.problem = problem;
    this.failureSha256 = failureSha256;
  }
}

export const broken = (blame: Blame, code: ProblemCode, detail: string, hint?: string): Breakage =>
  new Breakage(blame, new Problem(code, detail, hint));

/** Any error met at a step as a Breakage; whose fault it is where the step did not say: shared/job/blame-rules. What is no Problem is a bug of ours. */
export const breakageOf = (step: RunStep, error: unknown): Breakage => {
  if (error instanceof Breakage) return error;
  if (error instanceof Problem) return new Breakage(judgeMishap({ step, code: error.code }).blame, error);
  const { code, message } = error as NodeJS.ErrnoException;
  const problem =
    code === 'ENOSPC'
      ? new Problem(
          'disk-full',
          `The disk of this node is full: ${message}`,
          'Make room under RETRAIND_WORK.',
          { cause: error },
        )
      : new Problem('internal', message ?? String(error), undefined, { cause: error });
  return new Breakage(judgeMishap({ step, code: problem.code }).blame, problem);
};
