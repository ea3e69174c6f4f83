// What a node does in the name of its lease. Every deed proves epoch and node in the store: an old epoch is told
// `lease-lost`, another node `not-your-run`.

import * as jobs from '@retraind/prisma/store/jobs';
import * as leave from '@retraind/prisma/store/leave';
import * as runs from '@retraind/prisma/store/runs';
import { placeInWords, seedOfPlace } from '@retraind/shared/job/run-place';
import { jobSeedOf } from '@retraind/shared/job/seed';
import { demandOfRecipe } from '@retraind/shared/policy/world';
import { parseRecipe } from '@retraind/shared/recipe/control';
import type { RetrainTag } from '@retraind/shared/recipe/tag';
import {
  Assignment,
  CheckpointKept,
  Chunk,
  type DeviceUsed,
  Heartbeat,
  HeartbeatAnswer,
  RecipeFound,
  Report,
} from '@retraind/shared/wire/messages';
import { Problem } from '@retraind/shared/wire/problems';
import { Type } from 'typebox';
import type { Farm } from '../farm.ts';
import { requireKept } from '../report-files.ts';
import { type App, answers, answersNothing, nodeKey } from '../route.ts';
import { queryOf } from '../validator.ts';
import { RunPath } from './runs.ts';

/** A chunk is at most 256 KiB of text, and JSON may write a character in six bytes. */
const chunkBodyBytes = 2 * 2 ** 20;
const recipeBodyBytes = 8 * 2 ** 20;
/** A report of a thousand models, each with its evidence. */
const reportBodyBytes = 16 * 2 ** 20;

export function leaseRoutes(scope: App, farm: Farm): void {
  const { db, live, leaseSeconds, heartbeatSeconds, graceSeconds } = farm;

  scope.get(
    '/api/v1/runs/:runId/assignment',
    {
      schema: {
        tags: ['leases'],
        summary: 'What a lease asks for',
        security: nodeKey,
        params: RunPath,
        querystring: queryOf({ leaseEpoch: Type.Integer({ minimum: 1 }) }),
        response: answers(Assignment, 'The assignment.'),
      },
    },
    async (request) => {
      const { leaseEpoch } = request.query;
      const holder = { ...request.params, leaseEpoch, nodeId: request.nodeId };
      const { run, job, deviceIds, package: version, suite } = await runs.assignment(db, holder);
      if (run.step !== null) {
        throw new Problem(
          'conflict',
          `Lease ${leaseEpoch} of run ${run.runId} was begun already.`,
          'A lease is begun once: its process is at work, or it is dead and the run is leased anew.',
        );
      }
      return {
        runId: run.runId,
        leaseEpoch,
        jobId: job.jobId,
        source: job.source,
        version: job.version,
        suite: { name: suite.name, sources: suite.sources },
        overlaySha256: job.overlaySha256,
        // A node is not told that it is a check: it is to do what it always does.
        purpose: run.purpose === 'check' ? 'rerun' : run.purpose,
        seedIndex: run.seedIndex,
        declaredSeed: run.declaredSeed,
        seedOverride: job.seedOverride,
        beacon: version.beacon,
        numerics: run.numerics,
        repeat: run.repeat,
        deviceIds,
        heartbeatSeconds,
        leaseSeconds,
        ...(run.checkpointSha256 !== null && {
          checkpoint: { sha256: run.checkpointSha256, leaseEpoch: run.checkpointEpoch! },
        }),
      };
    },
  );

  scope.post(
    '/api/v1/runs/:runId/heartbeat',
    {
      logLevel: 'warn',
      schema: {
        tags: ['leases'],
        summary: 'A sign of life; the answer says whether to stop',
        security: nodeKey,
        params: RunPath,
        body: Heartbeat,
        response: answers(HeartbeatAnswer, 'Whether the run is to be cancelled, or to leave its slot.'),
      },
    },
    async (request) => {
      const beat = { ...request.params, ...request.body, nodeId: request.nodeId, leaseSeconds };
      const { cancel, leave } = await runs.heartbeat(db, beat);
      return { cancel, ...(leave && { leave: { ...leave, graceSeconds } }) };
    },
  );

  scope.post(
    '/api/v1/runs/:runId/checkpoint',
    {
      schema: {
        tags: ['leases'],
        summary: 'The kept file with which the next lease of the run is to begin',
        security: nodeKey,
        params: RunPath,
        body: CheckpointKept,
        response: answersNothing('Recorded.'),
      },
    },
    async (request, reply) => {
      const { leaseEpoch, sha256 } = request.body;
      const holder = { ...request.params, leaseEpoch, nodeId: request.nodeId };
      const bytes = await farm.artifacts.sizeOf(sha256);
      if (bytes === null) throw new Problem('not-found', `The farm keeps no file with the digest ${sha256}.`);
      const replaced = await leave.keepCheckpoint(db, holder, sha256);
      if (replaced !== null) await forget(farm, replaced);
      request.log.info({ ...holder, sha256, bytes }, 'checkpoint kept');
      return reply.code(204).send(undefined);
    },
  );

  for (const kind of ['log', 'metrics'] as const) {
    scope.post(
      `/api/v1/runs/:runId/${kind}`,
      {
        bodyLimit: chunkBodyBytes,
        logLevel: 'warn',
        schema: {
          tags: ['leases'],
          summary: kind === 'log' ? 'A chunk of the log, in order' : 'A chunk of the metrics lines, in order',
          security: nodeKey,
          params: RunPath,
          body: Chunk,
          response: answersNothing('Kept; a chunk sent twice counts once.'),
        },
      },
      async (request, reply) => {
        const { leaseEpoch, offset, text } = request.body;
        const lease = { ...request.params, leaseEpoch };
        await runs.requireHolder(db, { ...lease, nodeId: request.nodeId });
        await live.append(lease, kind, offset, text);
        return reply.code(204).send(undefined);
      },
    );
  }

  scope.post(
    '/api/v1/runs/:runId/recipe',
    {
      bodyLimit: recipeBodyBytes,
      schema: {
        tags: ['leases'],
        summary: 'The recipe that the unpacked source has, and the job seed that follows from it',
        security: nodeKey,
        params: RunPath,
        body: RecipeFound,
        response: answersNothing('Recorded.'),
      },
    },
    async (request, reply) => {
      const { leaseEpoch, control, jobSeed } = request.body;
      const holder = { ...request.params, leaseEpoch, nodeId: request.nodeId };
      const { job, package: version } = await runs.assignment(db, holder);
      // An overlay is the farm's own: the index says nothing that it must agree with.
      const tag: RetrainTag | null =
        job.overlaySha256 !== null
          ? null
          : {
              target: version.target,
              // on-demand is also what intake writes where the tag says nothing, and silence agrees with all.
              policy: version.policy === 'on-demand' ? null : version.policy,
              accelerators: version.accelerators.length > 0 ? version.accelerators : null,
            };
      const { recipe, faults } = parseRecipe(control, undefined, tag);
      if (recipe === null) {
        const errors = faults.filter(({ severity }) => severity === 'error');
        const told = errors.map((fault) => `${fault.file}:${fault.line}: ${fault.message}; ${fault.cure}`);
        throw new Problem('invalid-recipe', told.slice(0, 20).join('\n'), 'See all with: retrain lint PATH');
      }
      const expected = jobSeedOf(recipe, {
        source: job.source,
        version: job.version,
        beacon: version.beacon,
        override: job.seedOverride,
      });
      if (jobSeed !== expected) {
        throw new Problem(
          'conflict',
          `The job seed of this recipe is ${expected}, not ${jobSeed}.`,
          'It follows from source, version, dataset digests and beacon; nobody chooses it.',
        );
      }
      const dataDigests = recipe.datasets.flatMap(({ files }) => files.map(({ sha256 }) => sha256));
      await jobs.recordRecipe(db, {
        ...holder,
        control,
        jobSeed,
        demand: demandOfRecipe(recipe),
        dataDigests,
      });
      request.log.info(
        { runId: holder.runId, jobId: job.jobId, models: recipe.models.length },
        'recipe told',
      );
      return reply.code(204).send(undefined);
    },
  );

  scope.post(
    '/api/v1/runs/:runId/report',
    {
      bodyLimit: reportBodyBytes,
      schema: {
        tags: ['leases'],
        summary: 'How the lease ended, told once',
        security: nodeKey,
        params: RunPath,
        body: Report,
        response: answersNothing('Recorded.'),
      },
    },
    async (request, reply) => {
      const { leaseEpoch, outcome } = request.body;
      const lease = { ...request.params, leaseEpoch };
      const holder = { ...lease, nodeId: request.nodeId };
      const { run, job, deviceIds } = await runs.assignment(db, holder);
      if (outcome.kind === 'reported') {
        requireDevices(outcome, deviceIds);
        requireSeed(outcome.seed, run, job.jobSeed);
        requireWithheld(outcome, run);
        await requireKept(farm.artifacts, outcome);
      }
      const [logSha256, metricsSha256] = await Promise.all([
        live.seal(lease, 'log', farm.artifacts),
        live.seal(lease, 'metrics', farm.artifacts),
      ]);
      const end = await runs.report(db, { ...holder, outcome, logSha256, metricsSha256 });
      await live.end(lease);
      if (end.droppedCheckpoint !== undefined) await forget(farm, end.droppedCheckpoint);
      request.log.info({ ...holder, outcome: outcome.kind, run: end.run, job: end.job }, 'lease ended');
      return reply.code(204).send(undefined);
    },
  );
}

/** Removes a checkpoint that was dropped, unless the farm names that file for something else. */
async function forget({ db, artifacts }: Farm, sha256: string): Promise<void> {
  if (!(await leave.isNamed(db, sha256))) await artifacts.remove(sha256);
}

/** A result counts only under the seed that was asked for: one that a node chose could be picked for what it gives. */
function requireSeed(seed: number, run: runs.Run, jobSeed: string | null): void {
  const expected = jobSeed === null ? null : seedOfPlace(jobSeed, run);
  if (seed === expected) return;
  throw new Problem(
    'conflict',
    expected === null
      ? 'The run reports a result before it told its recipe, from which its seed follows.'
      : `The run was to use the seed ${expected} (${placeInWords(run)}), not ${seed}.`,
  );
}

/** A result counts only from devices that the run was to have: others nobody approved, or they are another run's. */
function requireDevices({ devices = [] }: { devices?: DeviceUsed[] }, deviceIds: readonly string[]): void {
  const foreign = devices.find(({ deviceId }) => !deviceIds.includes(deviceId));
  if (foreign === undefined) return;
  throw new Problem(
    'conflict',
    `The run was not to use ${foreign.name} (${foreign.deviceId}): its lease names ${deviceIds.join(', ') || 'no device'}.`,
  );
}

/** A dependence run counts only where records were withheld, and no other run may have been shortened. */
function requireWithheld({ withheld = [] }: { withheld?: unknown[] }, { purpose }: runs.Run): void {
  if (withheld.length > 0 === (purpose === 'dependence')) return;
  throw new Problem(
    'conflict',
    purpose === 'dependence'
      ? 'The run was to withhold records, and reports none.'
      : `A ${purpose} run withholds no records.`,
  );
}
