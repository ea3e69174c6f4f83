// Jobs: ask for one, read them, and the deeds that a person answers for.
import { createHash } from 'node:crypto';
import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as lists from '@retraind/prisma/store/lists';
import * as runs from '@retraind/prisma/store/runs';
import { jobStates } from '@retraind/shared/job/states';
import type { Bearer } from '@retraind/shared/policy/roles';
import { literals } from '@retraind/shared/wire/messages';
import {
  decodeCursor,
  encodeCursor,
  nextLink,
  PageOf,
  PageQuery,
  pageLimits,
} from '@retraind/shared/wire/page';
import { Problem } from '@retraind/shared/wire/problems';
import {
  Deed,
  Explanation,
  Job,
  JobId,
  JobRequest,
  JobSummary,
  SourceName,
  SuiteName,
} from '@retraind/shared/wire/resources';
import { Type } from 'typebox';
import { needsRight, requireRight } from '../auth.ts';
import { explanationOf } from '../explain.ts';
import type { Farm } from '../farm.ts';
import { type App, answers, answersCreated, bearer } from '../route.ts';
import { queryOf } from '../validator.ts';
import { jobSummaries, jobView } from '../views/job.ts';
import { jobHref } from '../views/run.ts';

const JobPath = Type.Object({ jobId: JobId });
const JobsQuery = queryOf({
  ...PageQuery.properties,
  source: Type.Optional(SourceName),
  suite: Type.Optional(SuiteName),
  state: Type.Optional(literals(jobStates)),
});

export function jobRoutes(app: App, farm: Farm): void {
  const { db } = farm;

  app.get(
    '/api/v1/jobs',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Jobs, newest first',
        querystring: JobsQuery,
        response: answers(PageOf(JobSummary), 'A page of jobs; the Link header leads to the next.'),
      },
    },
    async (request, reply) => {
      const { limit = pageLimits.default, cursor, state, ...filter } = request.query;
      const found = await jobs.page(
        db,
        { ...filter, states: state && [state] },
        limit,
        cursor === undefined ? null : readCursor(cursor),
      );
      const next = found.next && encodeCursor([found.next.createdAt.toISOString(), found.next.jobId]);
      if (next) reply.header('link', nextLink('/api/v1/jobs', request.query, next));
      return { items: await jobSummaries(db, found.jobs), next };
    },
  );

  app.post(
    '/api/v1/jobs',
    {
      preHandler: needsRight(db, 'jobs.request'),
      schema: {
        tags: ['jobs'],
        summary: 'Ask for a retrain',
        description:
          'The same open wish is one job: asked again, it is answered with 200 and the job that is there.',
        security: bearer,
        headers: Type.Object({
          'idempotency-key': Type.Optional(
            Type.String({
              pattern: '^[\\x21-\\x7e]{1,200}$',
              description: 'Makes a repeated request harmless: the same key is answered with the same job.',
            }),
          ),
        }),
        body: JobRequest,
        response: answersCreated(Job, 'The job that is there already.'),
      },
    },
    async (request, reply) => {
      const { source, version, seed, reason, override } = request.body;
      const suite = request.body.suite ?? (await onlySuite(farm, source, version));
      requireRight(request.bearer, override ? 'jobs.override' : 'jobs.request', { suite, source });
      const key = request.headers['idempotency-key'];
      const { job, created } = await jobs.request(db, {
        suite,
        source,
        version,
        seedOverride: seed === undefined ? null : String(BigInt(seed)),
        reason,
        override,
        requestedBy: request.actor,
        idempotency:
          key === undefined
            ? undefined
            : {
                key,
                requestSha256: createHash('sha256').update(JSON.stringify(request.body)).digest('hex'),
              },
      });
      reply.code(created ? 201 : 200).header('location', jobHref(job.jobId));
      return readJob(farm, job.jobId);
    },
  );

  app.get(
    '/api/v1/jobs/:jobId',
    {
      schema: {
        tags: ['jobs'],
        summary: 'A job: its runs in seed order, and the verdict on each model',
        params: JobPath,
        response: answers(Job, 'The job.'),
      },
    },
    (request) => readJob(farm, request.params.jobId),
  );

  app.get(
    '/api/v1/jobs/:jobId/explain',
    {
      schema: {
        tags: ['jobs'],
        summary: 'Why a job is where it is, clause by clause, by the function that decides',
        params: JobPath,
        response: answers(Explanation, 'The explanation.'),
      },
    },
    async (request) => explanationOf(farm, await requireJob(farm, request.params.jobId)),
  );

  app.post(
    '/api/v1/jobs/:jobId/cancel',
    {
      preHandler: needsRight(db, 'jobs.cancel'),
      schema: {
        tags: ['jobs'],
        summary: 'End a job; its runs stop at their next heartbeat',
        security: bearer,
        params: JobPath,
        body: Deed,
        response: answers(Job, 'The job, cancelled.'),
      },
    },
    async (request) => {
      const { jobId } = request.params;
      requireRight(request.bearer, 'jobs.cancel', await requireJob(farm, jobId));
      await jobs.cancel(db, jobId, request.body.reason, request.actor);
      return readJob(farm, jobId);
    },
  );

  app.post(
    '/api/v1/jobs/:jobId/approve',
    {
      preHandler: needsRight(db, 'jobs.approve'),
      schema: {
        tags: ['jobs'],
        summary: 'Let a job run whose expected cost is over the threshold of a budget',
        security: bearer,
        params: JobPath,
        body: Deed,
        response: answers(Job, 'The job.'),
      },
    },
    async (request) => {
      const { jobId } = request.params;
      await requireJob(farm, jobId);
      await jobs.approve(db, jobId, request.body.reason, request.actor);
      return readJob(farm, jobId);
    },
  );

  app.post(
    '/api/v1/jobs/:jobId/give-back',
    {
      preHandler: needsRight(db, 'jobs.give-back'),
      schema: {
        tags: ['jobs'],
        summary: 'Let a job be tried again',
        description:
          'A job that waits, was attempted or failed needs a retrain again. While it is retraining, its runs are asked to leave their slots at their next heartbeat: each keeps its checkpoint and waits, with its seed, for another lease. Where the farm has another overlay than the job ran with, a new job takes its place and is the answer.',
        security: bearer,
        params: JobPath,
        body: Deed,
        response: answers(Job, 'The job.'),
      },
    },
    async (request) => {
      const { jobId } = request.params;
      const job = await requireJob(farm, jobId);
      requireRight(request.bearer, 'jobs.give-back', job);
      requireOverride(request.bearer, job);
      const reason = `given back by ${request.actor}: ${request.body.reason}`;
      if (job.state === 'retraining') {
        const leased = (await runs.ofJob(db, jobId)).filter(({ state }) => state === 'leased');
        for (const { runId, leaseEpoch } of leased) {
          await leave.ask(db, { runId, leaseEpoch, code: 'given-back', reason, actor: request.actor });
        }
        return readJob(farm, jobId);
      }
      const given = await jobs.giveBack(db, jobId, reason, request.actor);
      return readJob(farm, given.jobId);
    },
  );
}

/** Giving back is no way around an approval or a refusal: those are an admin's to overrule. */
function requireOverride(bearer: Bearer, job: jobs.JobDetail): void {
  const asks = job.state === 'held' && job.approvalAskedAt !== null && job.approvedAt === null;
  const isRefused = job.state === 'auto-not-for-us' || job.state === 'not-for-us';
  if (asks) requireRight(bearer, 'jobs.approve', job);
  if (isRefused) requireRight(bearer, 'jobs.override', job);
}

/** The cursor of a page of jobs. */
export function readCursor(cursor: string): jobs.JobCursor {
  const [at, jobId] = decodeCursor(cursor, 2) as [string, string];
  return { createdAt: cursorTime(at), jobId };
}

/** A cursor's time; what is no time is no cursor of ours. */
export function cursorTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) decodeCursor('', 1);
  return time;
}

export async function requireJob(farm: Farm, jobId: string): Promise<jobs.JobDetail> {
  const job = await jobs.byId(farm.db, jobId);
  if (job === null) throw new Problem('not-found', `There is no job ${jobId}.`);
  return job;
}

const readJob = async (farm: Farm, jobId: string): Promise<Job> =>
  jobView(farm, await requireJob(farm, jobId));

/** The suite of a wish that names none: clear only where the farm has the package in one. */
async function onlySuite(farm: Farm, source: string, version: string | undefined): Promise<string> {
  const found = await lists.versionsOfSource(farm.db, source, version);
  const now = version === undefined ? found.filter(({ state }) => state === 'current') : found;
  const suites = [...new Set(now.map(({ suite }) => suite))];
  if (suites.length === 1) return suites[0]!;
  const what = version === undefined ? source : `${source} ${version}`;
  if (suites.length === 0) {
    throw new Problem(
      'not-found',
      `No suite of this farm has ${what} with a recipe.`,
      'The farm knows packages that carry the tag `XS-Retrain`, and those with an overlay.',
    );
  }
  throw new Problem(
    'invalid-request',
    `\`body.suite\` is missing, and ${what} is in ${suites.join(', ')}.`,
    'Name the suite.',
  );
}
