// How long a run of a node may be: said by an admin, kept with who and why, read by the scheduler, told by explain.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as runs from '@retraind/prisma/store/runs';
import * as world from '@retraind/prisma/store/world';
import { retrainPlaces } from '@retraind/shared/job/run-place';
import { readNodes } from '@retraind/shared/simulate/files';
import type { NodeDetail } from '@retraind/shared/wire/node';
import type { Explanation } from '@retraind/shared/wire/resources';
import { tellSelf } from '@retraind/worker/http-farm-client';
import { makeJob } from '../support/scenario.ts';
import { adminToken, porterToken, startFarm } from './farm-server.ts';
import { selfOf } from './node-self.ts';

const server = await startFarm();
const { address: api, db } = server;

test('a limit reaches the world at the next reading, keeps long runs away with the reason, and goes again', async () => {
  const key = await server.enrol('nightly');
  await tellSelf({ api, key }, selfOf());
  const limit = (longestRunSeconds: unknown, reason: unknown = 'off at night', token = adminToken) =>
    server.ask<NodeDetail>('POST', `/api/v1/nodes/${key.nodeId}/limit`, {
      token,
      json: { reason, longestRunSeconds },
    });
  const explained = async (jobId: string) =>
    (await server.ask<Explanation>('GET', `/api/v1/jobs/${jobId}/explain`)).body.runs[0]!;

  const { cursor } = await world.read(db, null);
  const limited = await limit(7_200);
  assert.deepEqual([limited.status, limited.body.longestRunSeconds], [200, 7_200]);
  const { nodes } = await world.read(db, cursor);
  assert.deepEqual(
    nodes.map(({ name, longestRunSeconds }) => [name, longestRunSeconds]),
    [['nightly', 7_200]],
  );
  const listed = async () =>
    readNodes(JSON.stringify((await server.ask('GET', '/api/v1/nodes')).body.items), 'nodes.json');
  assert.equal((await listed())[0]!.longestRunSeconds, 7_200, 'retrain simulate reads it');
  const [deed] = (await server.ask<NodeDetail>('GET', `/api/v1/nodes/${key.nodeId}`)).body.deeds;
  assert.deepEqual([deed?.deed, deed?.actor, deed?.reason], ['nodes.limit', 'ada', 'off at night']);

  const { jobId } = await makeJob(db);
  await runs.add(db, jobId, retrainPlaces(1));
  const demand = (seconds: number) =>
    db.$executeRaw`UPDATE job SET demand = demand || jsonb_build_object('timeLimitSeconds', ${seconds}::int) WHERE job_id = ${jobId}`;
  await demand(7_201);
  assert.match((await explained(jobId)).sentence, /at most 2 h; the limit of this one is 2 h/);
  await demand(7_200);
  assert.match((await explained(jobId)).sentence, /^is about to be placed/);
  await demand(86_400);
  assert.equal((await limit(null)).body.longestRunSeconds, null);
  assert.equal((await listed())[0]!.longestRunSeconds, 0);
  assert.match((await explained(jobId)).sentence, /^is about to be placed/);

  for (const wrong of [0, -1, 1.5, '8h', undefined]) assert.equal((await limit(wrong)).status, 400);
  assert.equal((await limit(3_600, '')).status, 400);
  assert.equal((await limit(3_600, 'no', porterToken)).status, 403);
});
