// A report names files by digest; it counts only when the farm has them all, for the verdict is made from them.
import type { ArtifactStore } from '@retraind/host/artifacts';
import { evidenceArtifacts } from '@retraind/shared/verdict/evidence-artifacts';
import type { ReportOutcome } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';

type Reported = Extract<ReportOutcome, { kind: 'reported' }>;

/** Throws Problem `not-found` that names the files that were never sent. */
export async function requireKept(artifacts: ArtifactStore, outcome: Reported): Promise<void> {
  const named = new Map<string, string>([
    [outcome.retraininfoSha256, '.retraininfo'],
    [outcome.provenanceSha256, 'provenance'],
  ]);
  for (const { model, evidence } of outcome.outputs) named.set(evidence.file.sha256, `model ${model}`);
  for (const { model, evidence } of [...outcome.outputs, ...outcome.references]) {
    for (const { what, sha256 } of evidenceArtifacts(evidence)) named.set(sha256, `${what}, model ${model}`);
  }
  const missing: string[] = [];
  for (const [sha256, what] of named) {
    if (!(await artifacts.has(sha256))) missing.push(`${what} (${sha256})`);
  }
  if (missing.length === 0) return;
  throw new Problem(
    'not-found',
    `The report names files that the farm has not: ${missing.slice(0, 10).join('; ')}.`,
    'Send them by `PUT /api/v1/artifacts/SHA256` first.',
  );
}
