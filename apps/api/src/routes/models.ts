// "What do you know of this file?"

import * as jobs from '@retraind/prisma/store/jobs';
import * as models from '@retraind/prisma/store/models';
import * as runs from '@retraind/prisma/store/runs';
import { Sha256 } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { ModelKnown } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import type { Farm } from '../farm.ts';
import { type App, answers } from '../route.ts';
import { artifactHref, jobHref, runHref } from '../views/run.ts';

export const ModelPath = Type.Object({ sha256: Sha256 });

export function modelRoutes(app: App, farm: Farm): void {
  app.get(
    '/api/v1/models/sha256/:sha256',
    {
      schema: {
        tags: ['models'],
        summary: 'Everything that the farm knows of a model file with these bytes',
        params: ModelPath,
        response: answers(ModelKnown, 'Where it was seen, and what is claimed of it.'),
      },
    },
    (request) => readModel(farm, request.params.sha256),
  );
}

export async function readModel({ db, artifacts }: Farm, sha256: string): Promise<ModelKnown> {
  const [known, bytes] = await Promise.all([models.bySha256(db, sha256), artifacts.sizeOf(sha256)]);
  const seen = [
    ...known.referenceOf.map((place) => ({ ...place, role: 'shipped' as const })),
    ...known.madeBy.map((place) => ({ ...place, role: 'retrained' as const })),
  ];
  if (seen.length === 0) {
    throw new Problem(
      'not-found',
      `The farm has seen no model file with the digest ${sha256}.`,
      'The digest is sha256 over the bytes of the file as it is shipped.',
    );
  }
  const seenAs: ModelKnown['seenAs'] = [];
  for (const { role, runId, jobId, model } of seen) {
    const [job, run] = await Promise.all([jobs.byId(db, jobId), runs.byId(db, runId)]);
    if (job === null || run === null) continue;
    const claim = known.verdicts.find(({ jobId: of, verdict }) => of === jobId && verdict.model === model);
    seenAs.push({
      role,
      source: job.source,
      version: job.version,
      model,
      jobId,
      runId,
      seed: run.seed,
      rung: role === 'shipped' ? (claim?.verdict.rung ?? null) : null,
      sentence: role === 'shipped' ? (claim?.verdict.sentence ?? null) : null,
      jobHref: jobHref(jobId),
      runHref: runHref(runId),
    });
  }
  return {
    sha256,
    kept: bytes !== null,
    bytes,
    seenAs,
    weightsHref: bytes === null ? null : artifactHref(sha256),
  };
}
