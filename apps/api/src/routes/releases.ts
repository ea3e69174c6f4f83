// Releases: what one would do, starting it, and what it has come to.
import * as jobs from '@retraind/prisma/store/jobs';
import * as releases from '@retraind/prisma/store/releases';
import type { ReleaseState } from '@retraind/shared/release/plan';
import {
  Release,
  ReleasePlan,
  ReleaseRequest,
  ReleaseStarted,
  ReleaseSummary,
} from '@retraind/shared/wire/campaigns';
import { Problem } from '@retraind/shared/wire/problems';
import { Deed, SuiteName } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight, requireRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, bearer } from '../route.ts';
import { queryOf } from '../validator.ts';
import { jobSummaries } from '../views/job.ts';
import { billView, releaseSummary } from '../views/release.ts';

/** A suite, for its newest release, or a release's id. */
export const ReleasePath = Type.Object({ release: Type.String({ pattern: '^[a-z0-9][a-z0-9.+-]{0,62}$' }) });
const SuitePath = Type.Object({ suite: SuiteName });

export function releaseRoutes(app: App, farm: Farm): void {
  const { db } = farm;

  app.get(
    '/api/v1/releases',
    {
      schema: {
        tags: ['releases'],
        summary: 'All releases, the newest first',
        response: answers(Type.Object({ items: Type.Array(ReleaseSummary) }), 'The releases.'),
      },
    },
    async () => ({ items: (await releases.list(db)).map(releaseSummary) }),
  );

  app.get(
    '/api/v1/suites/:suite/release-plan',
    {
      schema: {
        tags: ['releases'],
        summary: 'What a release of the suite would retrain, cost and refuse; asks for nothing',
        params: SuitePath,
        querystring: queryOf({
          requester: Type.Optional(
            Type.String({ maxLength: 64, description: 'Whose budget is looked at beside the suite’s.' }),
          ),
        }),
        response: answers(ReleasePlan, 'The plan.'),
      },
    },
    (request) => releases.plan(db, request.params.suite, request.query.requester ?? ''),
  );

  app.get(
    '/api/v1/releases/:release',
    {
      schema: {
        tags: ['releases'],
        summary: 'A release, by its id or its suite: planned and spent, jobs and verdicts counted',
        params: ReleasePath,
        response: answers(Release, 'The release.'),
      },
    },
    (request) => readRelease(farm, request.params.release),
  );

  app.post(
    '/api/v1/releases',
    {
      preHandler: needsRight(db, 'releases.start'),
      schema: {
        tags: ['releases'],
        summary: 'Start the release of a suite; again: take in what has come since',
        security: bearer,
        body: ReleaseRequest,
        response: answersCreated(ReleaseStarted, 'The release was open; what was new is part of it now.'),
      },
    },
    async (request, reply) => {
      const { suite, reason } = request.body;
      requireRight(request.bearer, 'releases.start', { suite, source: null });
      const { release, made, isNew } = await releases.start(db, suite, { actor: request.actor, reason });
      reply.code(isNew ? 201 : 200).header('location', `/api/v1/releases/${release.releaseId}`);
      return { release: await releaseView(farm, release), jobsMade: made };
    },
  );

  const moves: Record<
    string,
    { to: ReleaseState; summary: string; deed: 'releases.pause' | 'releases.resume' | 'releases.end' }
  > = {
    pause: {
      to: 'paused',
      deed: 'releases.pause',
      summary: 'Place no more runs of a release; those that run go on',
    },
    resume: { to: 'running', deed: 'releases.resume', summary: 'Let a paused release go on' },
    end: {
      to: 'ended',
      deed: 'releases.end',
      summary: 'Close a release: jobs of which nothing runs are cancelled, so that another may begin',
    },
  };
  for (const [verb, { to, deed, summary }] of Object.entries(moves)) {
    app.post(
      `/api/v1/suites/:suite/release/${verb}`,
      {
        preHandler: needsRight(db, deed),
        schema: {
          tags: ['releases'],
          summary,
          security: bearer,
          params: SuitePath,
          body: Deed,
          response: answers(Release, 'The release.'),
        },
      },
      async (request) => {
        const { suite } = request.params;
        requireRight(request.bearer, deed, { suite, source: null });
        const why = { actor: request.actor, reason: request.body.reason };
        return releaseView(farm, await releases.move(db, suite, to, why));
      },
    );
  }
}

export async function readRelease(farm: Farm, word: string): Promise<Release> {
  const release = await releases.find(farm.db, word);
  if (release === null) throw new Problem('not-found', `There is no release ${word}.`);
  return releaseView(farm, release);
}

/** Jobs of a release that are told with it; the counts are of all. */
const mostJobs = 1_000;

async function releaseView({ db, gramsPerKwh }: Farm, release: releases.Release): Promise<Release> {
  const { releaseId, plan } = release;
  const [report, { jobs: found }] = await Promise.all([
    releases.report(db, releaseId),
    jobs.page(db, { releaseId }, mostJobs),
  ]);
  return {
    ...releaseSummary(release),
    plan,
    jobCounts: report.jobs,
    verdictCounts: report.verdicts as Release['verdictCounts'],
    spent: billView(report.spent, gramsPerKwh),
    jobs: await jobSummaries(db, found),
  };
}
