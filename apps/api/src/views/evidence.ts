// The files behind the verdicts of a job, from the evidence that its runs reported.
import type { ModelEvidence, RunDetail } from '@retraind/prisma/store/runs';
import type { StoredVerdict } from '@retraind/prisma/store/verdicts';
import { evidenceArtifacts } from '@retraind/shared/verdict/evidence-artifacts';
import type { EvidenceBundle } from '@retraind/shared/wire/resources';
import { artifactHref, jobHref, runHref } from './run.ts';

type EvidenceFile = EvidenceBundle['models'][number]['files'][number];

/** Reported runs only, in seed order, without those that check a node: no verdict rests on them. A shipped file is told once, as the first of them saw it. */
export function evidenceView(
  jobId: string,
  runs: readonly RunDetail[],
  claimed: readonly StoredVerdict[],
): EvidenceBundle {
  const reported = runs.filter(({ state, purpose }) => state === 'reported' && purpose !== 'check');
  const models = new Map<string, EvidenceFile[]>();
  const add = (role: EvidenceFile['role'], run: RunDetail, each: ModelEvidence): void => {
    const files = models.get(each.model) ?? [];
    if (role === 'shipped' && files.some((file) => file.role === 'shipped')) return;
    models.set(each.model, [...files, ...filesOf(role, run, each)]);
  };
  for (const run of reported) for (const each of run.references) add('shipped', run, each);
  for (const run of reported) for (const each of run.outputs) add(run.purpose, run, each);
  return {
    jobId,
    models: [...models].map(([model, files]) => {
      const stored = claimed.find(({ verdict }) => verdict.model === model);
      return {
        model,
        rung: stored?.verdict.rung ?? null,
        statementHref: stored?.statementSha256 ? artifactHref(stored.statementSha256) : null,
        files,
      };
    }),
    jobHref: jobHref(jobId),
  };
}

const filesOf = (role: EvidenceFile['role'], run: RunDetail, { evidence }: ModelEvidence): EvidenceFile[] => {
  const named = [{ what: 'model file', sha256: evidence.file.sha256 }, ...evidenceArtifacts(evidence)];
  return named.map(({ what, sha256 }) => ({
    role,
    what,
    seed: role === 'shipped' ? null : run.seed,
    sha256,
    href: artifactHref(sha256),
    runHref: runHref(run.runId),
  }));
};
