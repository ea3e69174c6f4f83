// The pages for people. Each is made from the very resources that the API tells.

import * as jobs from '@retraind/prisma/store/jobs';
import * as ledger from '@retraind/prisma/store/ledger';
import * as lists from '@retraind/prisma/store/lists';
import * as releases from '@retraind/prisma/store/releases';
import { seedLabel } from '@retraind/shared/job/run-place';
import { falseAlarmSentence } from '@retraind/shared/verdict/false-alarms';
import { encodeCursor } from '@retraind/shared/wire/page';
import type { Job, Version } from '@retraind/shared/wire/resources';
import type { FastifyReply } from 'fastify';
import { type TObject, Type } from 'typebox';
import { explanationOf } from '../explain.ts';
import type { Farm } from '../farm.ts';
import { homePage } from '../pages/home.tsx';
import { jobPage, jobsPage } from '../pages/job.tsx';
import { ledgerPage } from '../pages/ledger.tsx';
import type { Curve } from '../pages/loss-curves.tsx';
import { readSeries, type Series } from '../pages/metrics-lines.ts';
import { modelPage } from '../pages/model.tsx';
import { nodePage } from '../pages/node.tsx';
import { nodesPage } from '../pages/nodes.tsx';
import { packagePage, versionPage } from '../pages/package.tsx';
import { releasePage, releasesPage } from '../pages/releases.tsx';
import { runPage } from '../pages/run.tsx';
import { type App, answersBytes } from '../route.ts';
import { type RunFile, readTail, readText, runFile } from '../run-files.ts';
import { queryOf } from '../validator.ts';
import { jobSummaries, jobView, versionViews } from '../views/job.ts';
import { releaseSummary } from '../views/release.ts';
import { readCursor, requireJob } from './jobs.ts';
import { entryView } from './ledger.ts';
import { ModelPath, readModel } from './models.ts';
import { NodePath, readNode, readNodes } from './nodes.ts';
import { PackagePath, readPackage, readVersion, VersionPath } from './packages.ts';
import { ReleasePath, readRelease } from './releases.ts';
import { RunPath, readRun, requireRun } from './runs.ts';

const mostVersions = 200;
const jobsOnAPage = 50;
const logLines = 400;
const mostLogBytes = 256 * 1024;
/** Metrics read for a curve: the rest of a longer file is not drawn. */
const mostMetricsBytes = 4 * 2 ** 20;

const schema = <T extends TObject>(params: T) => ({
  hide: true,
  params,
  response: answersBytes(['text/html'], 'A page.'),
});

const sendPage = (reply: FastifyReply, html: string) => reply.type('text/html; charset=utf-8').send(html);

export function pageRoutes(app: App, farm: Farm): void {
  const { db } = farm;

  app.get('/', { schema: schema(Type.Object({})) }, async (_, reply) => {
    const [versions, running, nodes, falseAlarms] = await Promise.all([
      lists.currentVersions(db, mostVersions).then((found) => versionViews(db, found)),
      jobs
        .page(db, { states: ['retraining'] }, jobsOnAPage)
        .then(({ jobs: found }) => jobSummaries(db, found)),
      readNodes(farm),
      falseAlarmsOf(farm),
    ]);
    return sendPage(reply, homePage({ versions, running, nodes, falseAlarms }));
  });

  app.get(
    '/jobs',
    {
      schema: {
        hide: true,
        querystring: queryOf({ cursor: Type.Optional(Type.String({ maxLength: 512 })) }),
        response: answersBytes(['text/html'], 'A page.'),
      },
    },
    async (request, reply) => {
      const { cursor } = request.query;
      const after = cursor === undefined ? null : readCursor(cursor);
      const { jobs: found, next } = await jobs.page(db, {}, jobsOnAPage, after);
      const nextCursor = next && encodeCursor([next.createdAt.toISOString(), next.jobId]);
      return sendPage(reply, jobsPage(await jobSummaries(db, found), nextCursor, await falseAlarmsOf(farm)));
    },
  );

  app.get('/nodes', { schema: schema(Type.Object({})) }, async (_, reply) =>
    sendPage(reply, nodesPage(await readNodes(farm))),
  );

  app.get('/nodes/:nodeId', { schema: schema(NodePath) }, async (request, reply) =>
    sendPage(reply, nodePage(await readNode(farm, request.params.nodeId))),
  );

  app.get('/releases', { schema: schema(Type.Object({})) }, async (_, reply) =>
    sendPage(reply, releasesPage((await releases.list(db)).map(releaseSummary))),
  );

  app.get('/releases/:release', { schema: schema(ReleasePath) }, async (request, reply) =>
    sendPage(reply, releasePage(await readRelease(farm, request.params.release))),
  );

  app.get('/ledger', { schema: schema(Type.Object({})) }, async (_, reply) =>
    sendPage(reply, ledgerPage((await ledger.list(db)).map(entryView))),
  );

  app.get('/packages/:source', { schema: schema(PackagePath) }, async (request, reply) => {
    const found = await readPackage(db, request.params.source);
    return sendPage(reply, packagePage(found, await judgedJob(farm, found.versions)));
  });

  app.get('/packages/:source/:version', { schema: schema(VersionPath) }, async (request, reply) => {
    const { source, version } = request.params;
    const found = await readVersion(db, source, version);
    return sendPage(reply, versionPage(found, await judgedJob(farm, [found])));
  });

  app.get('/jobs/:jobId', { schema: schema(Type.Object({ jobId: JobPathId })) }, async (request, reply) => {
    const row = await requireJob(farm, request.params.jobId);
    const job = await jobView(farm, row);
    const curves: Curve[] = [];
    for (const run of job.runs) {
      const { runId, state } = run;
      if (state === 'waiting') continue;
      const series = await readCurve(await runFile(farm, await requireRun(db, runId), 'metrics'));
      if (series) curves.push({ runId, label: `seed ${seedLabel(run)}`, series });
    }
    // A judged job asks nothing more, but a node may still be checked with it.
    const isDone = job.state === 'judged' && job.checks.every(({ outcome }) => outcome !== null);
    const explanation = isDone ? null : await explanationOf(farm, row);
    return sendPage(reply, jobPage({ job, curves, explanation }));
  });

  app.get('/runs/:runId', { schema: schema(RunPath) }, async (request, reply) => {
    const { runId } = request.params;
    const [row, run] = await Promise.all([requireRun(db, runId), readRun(farm, runId)]);
    const [log, metrics] = await Promise.all([runFile(farm, row, 'log'), runFile(farm, row, 'metrics')]);
    const tail =
      log.bytes === 0 ? { text: '', skippedBytes: 0 } : await readTail(log, logLines, mostLogBytes);
    const isOver = row.state !== 'leased' && row.state !== 'waiting';
    return sendPage(
      reply,
      runPage({
        run,
        series: await readCurve(metrics),
        log: {
          tail: tail.text,
          skippedBytes: tail.skippedBytes,
          resumeAt: isOver ? null : `${log.leaseEpoch}:${log.bytes}`,
        },
      }),
    );
  });

  app.get('/models/sha256/:sha256', { schema: schema(ModelPath) }, async (request, reply) =>
    sendPage(reply, modelPage(await readModel(farm, request.params.sha256))),
  );
}

const JobPathId = Type.String({ pattern: '^[0-9a-z]{1,32}$' });

async function falseAlarmsOf({ db }: Farm): Promise<string> {
  const { judged, different } = await lists.statisticallyJudged(db);
  return falseAlarmSentence(judged, different);
}

/** The newest job of these versions that claims something. */
async function judgedJob(farm: Farm, versions: Version[]): Promise<Job | null> {
  for (const { jobs: found } of versions) {
    const judged = found.find(({ verdicts }) => verdicts.length > 0);
    if (judged) return jobView(farm, await requireJob(farm, judged.jobId));
  }
  return null;
}

async function readCurve(file: RunFile): Promise<Series | null> {
  if (file.bytes === 0) return null;
  const { text } = await readText(file.path, 0, Math.min(file.bytes, mostMetricsBytes));
  return readSeries(text);
}
