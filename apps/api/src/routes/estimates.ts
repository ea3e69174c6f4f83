// What a run of a package is expected to take, and the pilots that tell it before any run.
import * as estimates from '@retraind/prisma/store/estimates';
import { PilotRequest, RunEstimate } from '@retraind/shared/wire/campaigns';
import { needsRight, requireRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, bearer } from '../route.ts';
import { VersionPath } from './packages.ts';

export function estimateRoutes(app: App, { db }: Farm): void {
  app.get(
    '/api/v1/packages/:source/versions/:version/estimate',
    {
      schema: {
        tags: ['packages'],
        summary: 'What a run is expected to take: by a pilot, by earlier runs, or unknown',
        params: VersionPath,
        response: answers(RunEstimate, 'The estimate.'),
      },
    },
    (request) => estimates.estimateFor(db, request.params.source, request.params.version),
  );

  app.post(
    '/api/v1/pilots',
    {
      preHandler: needsRight(db, 'pilots.record'),
      schema: {
        tags: ['packages'],
        summary: 'Record what trainings of a recipe took (`retrain lint --pilot --record`)',
        security: bearer,
        body: PilotRequest,
        response: answersCreated(RunEstimate, 'Recorded: what is expected now.'),
      },
    },
    async (request, reply) => {
      const { reason, ...pilot } = request.body;
      const { source, version } = pilot;
      requireRight(request.bearer, 'pilots.record', { suite: null, source });
      await estimates.recordPilot(db, pilot, { actor: request.actor, reason });
      reply.code(201);
      return estimates.estimateFor(db, source, version);
    },
  );
}
