// Verdicts: what is claimed of a model. The newest of a model counts; earlier ones (of fewer runs) stay.
import type { ModelVerdict } from '@retraind/shared/verdict/evidence';
import type { Connection, Database } from '../client.ts';
import type { Verdict as VerdictRow } from '../generated/client.ts';

export interface StoredVerdict {
  jobId: string;
  createdAt: Date;
  verdict: ModelVerdict;
  /** Artifact: the in-toto statement of this verdict; null where none was made. */
  statementSha256: string | null;
}

export const storedOf = ({ jobId, createdAt, statementSha256, document }: VerdictRow): StoredVerdict => ({
  jobId,
  createdAt,
  statementSha256,
  verdict: document as unknown as ModelVerdict,
});

/**
 * Stores the verdicts of one judgement. One that says what the last one said is not stored again. `statements`: the
 * statement of each, by model.
 */
export const put = (
  db: Database,
  jobId: string,
  verdicts: readonly ModelVerdict[],
  statements: ReadonlyMap<string, string> = new Map(),
): Promise<void> =>
  db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT job_id FROM job WHERE job_id = ${jobId} FOR UPDATE`;
    for (const verdict of verdicts) {
      const { model, rung, k, shipped } = verdict;
      // Compared as jsonb, which knows no order of members.
      await tx.$executeRaw`
        INSERT INTO verdict (job_id, model, rung, k, shipped_sha256, statement_sha256, document)
        SELECT ${jobId}, ${model}, ${rung}, ${k}::int, ${shipped?.sha256 ?? null},
          ${statements.get(model) ?? null}, ${JSON.stringify(verdict)}::jsonb
        WHERE ${JSON.stringify(verdict)}::jsonb IS DISTINCT FROM (
          SELECT document FROM verdict WHERE job_id = ${jobId} AND model = ${model} ORDER BY verdict_id DESC LIMIT 1)`;
    }
  });

/** The newest verdict of each model, in order of their names. */
export const ofJob = async (db: Connection, jobId: string): Promise<StoredVerdict[]> => {
  const rows = await db.verdict.findMany({
    where: { jobId },
    distinct: ['model'],
    orderBy: [{ model: 'asc' }, { verdictId: 'desc' }],
  });
  return rows.map(storedOf);
};

/** All verdicts on one model of a job, oldest first: the looks of the sequential design. */
export const historyOf = async (db: Connection, jobId: string, model: string): Promise<StoredVerdict[]> =>
  (await db.verdict.findMany({ where: { jobId, model }, orderBy: { verdictId: 'asc' } })).map(storedOf);
