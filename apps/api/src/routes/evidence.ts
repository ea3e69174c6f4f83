// What a job's verdicts rest on: every file by digest, and the pictures among them as pictures.
import * as runs from '@retraind/prisma/store/runs';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { Sha256 } from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { EvidenceBundle, JobId } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { tagMatches } from '../etag.ts';
import type { Farm } from '../farm.ts';
import { isPicture } from '../png.ts';
import { type App, answers, answersBytes } from '../route.ts';
import { evidenceView } from '../views/evidence.ts';
import { artifactHref } from '../views/run.ts';
import { requireJob } from './jobs.ts';

/** RGB of two 1,024-pixel squares side by side, not compressed, is 6 MiB. */
const mostPictureBytes = 8 * 1024 * 1024;

export function evidenceRoutes(app: App, farm: Farm): void {
  const { db, artifacts } = farm;

  app.get(
    '/api/v1/jobs/:jobId/evidence',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The evidence bundle: every file that the verdicts rest on, by digest',
        params: Type.Object({ jobId: JobId }),
        response: answers(EvidenceBundle, 'Files of the shipped model and of each retrain, model by model.'),
      },
    },
    async (request) => {
      const { jobId } = await requireJob(farm, request.params.jobId);
      return evidenceView(jobId, await runs.ofJob(db, jobId), await verdicts.ofJob(db, jobId));
    },
  );

  app.get(
    '/api/v1/jobs/:jobId/pictures/:sha256',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The picture of a recovered trigger that a verdict of the job shows',
        description:
          'Only PNGs that a verdict names are shown; all other files are saved, from /api/v1/artifacts.',
        params: Type.Object({ jobId: JobId, sha256: Sha256 }),
        response: answersBytes(['image/png'], 'The picture.'),
      },
    },
    async (request, reply) => {
      const { jobId, sha256 } = request.params;
      await requireJob(farm, jobId);
      const shown = await verdicts.ofJob(db, jobId);
      if (!shown.some(({ verdict }) => picturesOf(verdict).has(sha256))) {
        throw new Problem('not-found', `No verdict of job ${jobId} shows a picture ${sha256}.`);
      }
      const bytes = await artifacts.sizeOf(sha256);
      if (bytes === null) throw new Problem('not-found', `The farm does not keep the picture ${sha256}.`);
      const picture = bytes > mostPictureBytes ? null : await artifacts.readWhole(sha256, mostPictureBytes);
      if (picture === null || !isPicture(picture)) {
        const hint = `Its bytes can be saved: ${artifactHref(sha256)}`;
        throw new Problem('not-found', `The artifact ${sha256} is no picture that may be shown.`, hint);
      }
      const tag = `"${sha256}"`;
      reply
        .type('image/png')
        .header('etag', tag)
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('content-disposition', `inline; filename="${sha256}.png"`);
      if (tagMatches(request.headers['if-none-match'], tag)) return reply.code(304).send(undefined);
      return reply.send(picture);
    },
  );
}

const picturesOf = ({ triggers, alarms }: verdicts.StoredVerdict['verdict']): Set<string> =>
  new Set([
    ...alarms.flatMap(({ pictureSha256 }) => pictureSha256 ?? []),
    ...(triggers?.ran ? triggers.classes.flatMap(({ pictureSha256 }) => pictureSha256 ?? []) : []),
  ]);
