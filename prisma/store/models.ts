// Model files by digest: "what does the farm know of this file?"
import type { Connection } from '../client.ts';
import { type StoredVerdict, storedOf } from './verdicts.ts';

export interface ModelSeen {
  runId: string;
  jobId: string;
  model: string;
}

export interface ModelKnowledge {
  /** Verdicts on the file as the shipped one, newest first. */
  verdicts: StoredVerdict[];
  /** Runs that made exactly these bytes. */
  madeBy: ModelSeen[];
  /** Runs that evaluated it as their reference. */
  referenceOf: ModelSeen[];
}

/** What is known of a file; all lists empty where nothing is. At most 100 entries a list. */
export const bySha256 = async (db: Connection, sha256: string): Promise<ModelKnowledge> => {
  const query = { where: { sha256 }, include: { run: { select: { jobId: true } } }, take: 100 };
  const seen = ({
    runId,
    model,
    run,
  }: {
    runId: string;
    model: string;
    run: { jobId: string };
  }): ModelSeen => ({
    runId,
    jobId: run.jobId,
    model,
  });
  const [verdicts, outputs, references] = await Promise.all([
    db.verdict.findMany({ where: { shippedSha256: sha256 }, orderBy: { verdictId: 'desc' }, take: 100 }),
    db.runOutput.findMany(query),
    db.reference.findMany(query),
  ]);
  return { verdicts: verdicts.map(storedOf), madeBy: outputs.map(seen), referenceOf: references.map(seen) };
};
