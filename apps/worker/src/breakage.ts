// Why a run broke, and whose fault that is: the one exception that the steps throw on purpose. What the blame leads to
// (attempted, data-wait, give back) is decided by the scheduler.
import type { Blame } from '@retraind/shared/job/states';
import { Problem, type ProblemCode } from '@retraind/shared/wire/problems';

export class Breakage extends Error {
  override readonly name = 'Breakage';
  readonly blame: Blame;
  readonly problem: Problem;

  constructor(blame: Blame, problem: Problem) {
    super(problem.detail, { cause: problem });
    this.blame = blame;
    this.problem = problem;
  }
}

export const broken = (blame: Blame, code: ProblemCode, detail: string, hint?: string): Breakage =>
  new Breakage(blame, new Problem(code, detail, hint));

/**
 * Whose fault a Problem is where the step that met it did not say. By code, top to bottom; a person can read it.
 * `recipe`: the same everywhere and always. `data`: comes back by itself. `node`, `farm`: try again, elsewhere or later.
 */
const blameByCode: readonly (readonly [Blame, readonly ProblemCode[]])[] = [
  [
    'recipe',
    [
      'invalid-recipe',
      'invalid-deb822',
      'invalid-archive',
      'invalid-model',
      'recipe-failed',
      'not-supported',
      'too-large',
      'dep-wait',
    ],
  ],
  ['data', ['data-wait', 'digest-mismatch', 'invalid-data', 'not-found']],
  ['node', ['sandbox-unavailable', 'tool-missing', 'disk-full']],
  [
    'farm',
    ['network-unreachable', 'farm-unreachable', 'database-unavailable', 'queue-unavailable', 'invalid-index'],
  ],
];

/** Any error as a Breakage; what is no Problem is a bug of ours, so the farm's. */
export const breakageOf = (error: unknown): Breakage => {
  if (error instanceof Breakage) return error;
  if (error instanceof Problem) {
    const row = blameByCode.find(([, codes]) => codes.includes(error.code));
    return new Breakage(row?.[0] ?? 'farm', error);
  }
  if ((error as NodeJS.ErrnoException)?.code === 'ENOSPC') {
    const full = new Problem(
      'disk-full',
      `The disk of this node is full: ${(error as Error).message}`,
      'Make room under RETRAIND_WORK.',
      { cause: error },
    );
    return new Breakage('node', full);
  }
  return new Breakage(
    'farm',
    new Problem('internal', error instanceof Error ? error.message : String(error), undefined, {
      cause: error,
    }),
  );
};
