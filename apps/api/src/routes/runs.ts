// Runs: all attempts, also those that broke.

import type { Database } from '@retraind/prisma/client';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as lists from '@retraind/prisma/store/lists';
import * as runs from '@retraind/prisma/store/runs';
import { runStates } from '@retraind/shared/job/states';
import { literals, RunId } from '@retraind/shared/wire/messages';
import {
  decodeCursor,
  encodeCursor,
  nextLink,
  PageOf,
  PageQuery,
  pageLimits,
} from '@retraind/shared/wire/page';
import { Problem } from '@retraind/shared/wire/problems';
import { Deed, Run, RunSummary, SourceName, VersionString } from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight, requireRight } from '../auth.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, bearer } from '../route.ts';
import { queryOf } from '../validator.ts';
import { runSummaryView, runView } from '../views/run.ts';
import { cursorTime } from './jobs.ts';

export const RunPath = Type.Object({ runId: RunId });
const RunsQuery = queryOf({
  ...PageQuery.properties,
  package: Type.Optional(SourceName),
  version: Type.Optional(VersionString),
  state: Type.Optional(literals(runStates)),
});

export function runRoutes(app: App, farm: Farm): void {
  const { db } = farm;
  app.get(
    '/api/v1/runs',
    {
      schema: {
        tags: ['runs'],
        summary: 'Runs, newest first: all attempts at a package, a version, or in a state',
        querystring: RunsQuery,
        response: answers(PageOf(RunSummary), 'A page of runs; the Link header leads to the next.'),
      },
    },
    async (request, reply) => {
      const { limit = pageLimits.default, cursor, package: source, version, state } = request.query;
      const found = await lists.runsPage(
        db,
        { source, version, state },
        limit,
        cursor === undefined ? null : readCursor(cursor),
      );
      const next = found.next && encodeCursor([found.next.createdAt.toISOString(), found.next.runId]);
      if (next) reply.header('link', nextLink('/api/v1/runs', request.query, next));
      return { items: found.runs.map(runSummaryView), next };
    },
  );

  app.get(
    '/api/v1/runs/:runId',
    {
      schema: {
        tags: ['runs'],
        summary: 'A run: seed, node, blame, what came out by digest, its leases and records',
        params: RunPath,
        response: answers(Run, 'The run.'),
      },
    },
    (request) => readRun(farm, request.params.runId),
  );

  app.post(
    '/api/v1/runs/:runId/give-back',
    {
      preHandler: needsRight(db, 'jobs.give-back'),
      schema: {
        tags: ['runs'],
        summary: 'Let a run leave its slot and go on elsewhere',
        description:
          'Its worker hears it at the next heartbeat, lets the target write a checkpoint, and the run waits for another lease, without blame. One that no worker has begun waits at once.',
        security: bearer,
        params: RunPath,
        body: Deed,
        response: answers(Run, 'The run.'),
      },
    },
    async (request) => {
      const { runId } = request.params;
      const { jobId, state, leaseEpoch, leaveReason } = await requireRun(db, runId);
      requireRight(request.bearer, 'jobs.give-back', await requireJob(db, jobId));
      const reason = `given back by ${request.actor}: ${request.body.reason}`;
      const asked =
        state === 'leased' &&
        (await leave.ask(db, { runId, leaseEpoch, code: 'given-back', reason, actor: request.actor }));
      if (!asked) {
        const why = leaveReason === null ? `is ${state}` : `is leaving already: ${leaveReason}`;
        throw new Problem('conflict', `Run ${runId} ${why}; only one that has a slot can be given back.`);
      }
      return readRun(farm, runId);
    },
  );
}

function readCursor(cursor: string): lists.RunCursor {
  const [at, runId] = decodeCursor(cursor, 2) as [string, string];
  return { createdAt: cursorTime(at), runId };
}

export async function requireRun(db: Database, runId: string): Promise<runs.RunDetail> {
  const run = await runs.byId(db, runId);
  if (run === null) throw new Problem('not-found', `There is no run ${runId}.`);
  return run;
}

export async function readRun({ db, gramsPerKwh }: Farm, runId: string): Promise<Run> {
  const run = await requireRun(db, runId);
  return runView(run, await requireJob(db, run.jobId), gramsPerKwh);
}

async function requireJob(db: Database, jobId: string): Promise<jobs.JobDetail> {
  const job = await jobs.byId(db, jobId);
  if (job === null) throw new Error(`a run's job ${jobId} is not there`);
  return job;
}
