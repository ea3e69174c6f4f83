// Each role × deed over the real API: who may, who may not, and that the table of shared/policy/roles says the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tokens from '@retraind/prisma/store/tokens';
import { type Asker, askers, type Deed, reachOf } from '@retraind/shared/policy/roles';
import type { AuditEntry, TokenMade } from '@retraind/shared/wire/campaigns';
import type { Page } from '@retraind/shared/wire/page';
import { findVersion } from '../support/scenario.ts';
import { adminToken, startFarm } from './farm-server.ts';

const server = await startFarm();
const { db, ask } = server;
const node = await server.enrol();
await findVersion(db, { suite: 'forky', source: 'mine', job: null });
await findVersion(db, { suite: 'sid', source: 'other', job: null });
await tokens.put(db, 'of-the-porter', { name: 'paula', role: 'porter', suites: ['forky'] });
await tokens.put(db, 'of-the-maintainer', { name: 'mia', role: 'maintainer', sources: ['mine'] });

const tokenOf: Partial<Record<Asker, string>> = {
  porter: 'of-the-porter',
  maintainer: 'of-the-maintainer',
  admin: adminToken,
};

/** A request that does the deed where every bound role may; what it is done to need not be there. */
const requests: Partial<Record<Deed, { method: string; path: string; json?: unknown }>> = {
  read: { method: 'GET', path: '/api/v1/audit' },
  'jobs.request': { method: 'POST', path: '/api/v1/jobs', json: { source: 'mine', suite: 'forky' } },
  'jobs.override': {
    method: 'POST',
    path: '/api/v1/jobs',
    json: { source: 'mine', suite: 'forky', override: true, reason: 'why' },
  },
  'jobs.cancel': { method: 'POST', path: '/api/v1/jobs/none/cancel', json: { reason: 'why' } },
  'jobs.give-back': { method: 'POST', path: '/api/v1/jobs/none/give-back', json: { reason: 'why' } },
  'jobs.approve': { method: 'POST', path: '/api/v1/jobs/none/approve', json: { reason: 'why' } },
  'pilots.record': {
    method: 'POST',
    path: '/api/v1/pilots',
    json: { source: 'mine', version: '1', seconds: [3], gpus: 0, device: 'a CPU', reason: 'why' },
  },
  'releases.start': { method: 'POST', path: '/api/v1/releases', json: { suite: 'forky', reason: 'why' } },
  'releases.pause': { method: 'POST', path: '/api/v1/suites/forky/release/pause', json: { reason: 'why' } },
  'releases.resume': { method: 'POST', path: '/api/v1/suites/forky/release/resume', json: { reason: 'why' } },
  'releases.end': { method: 'POST', path: '/api/v1/suites/forky/release/end', json: { reason: 'why' } },
  'budgets.set': {
    method: 'POST',
    path: '/api/v1/budgets',
    json: { account: 'suite:forky', gpuHours: 10, reason: 'why' },
  },
  'ledger.add': {
    method: 'POST',
    path: '/api/v1/ledger',
    json: {
      source: 'closed',
      reason: 'no-data',
      detail: 'secret',
      expiresAt: '2099-01-01T00:00:00Z',
      why: 'why',
    },
  },
  'ledger.remove': { method: 'POST', path: '/api/v1/ledger/999/remove', json: { reason: 'why' } },
  'tokens.list': { method: 'GET', path: '/api/v1/tokens' },
  'tokens.make': {
    method: 'POST',
    path: '/api/v1/tokens',
    json: { name: 'nobody', role: 'admin', reason: 'why' },
  },
  'tokens.revoke': { method: 'POST', path: '/api/v1/tokens/nobody/revoke', json: { reason: 'why' } },
  'suites.add': {
    method: 'POST',
    path: '/api/v1/suites',
    json: { name: 'trixie', sources: 'Types: deb-src\n', intakeSeconds: 60 },
  },
};

for (const [deed, { method, path, json }] of Object.entries(requests)) {
  for (const asker of askers.filter((one) => one !== 'node')) {
    const may = reachOf(asker, deed as Deed) !== null;
    test(`${asker} ${may ? 'may' : 'may not'} do ${deed}`, async () => {
      const { status, body } = await ask(method, path, { json, token: tokenOf[asker] });
      const refused = status === 401 || status === 403;
      assert.equal(refused, !may, `${status} ${JSON.stringify(body)}`);
      if (!may) assert.equal(status, asker === 'reader' ? 401 : 403);
    });
  }
}

test('a node’s signature opens no deed of a person, and a token no deed of a node', async () => {
  const { status } = await ask('POST', '/api/v1/nodes/self', { json: {}, token: adminToken });
  assert.equal(status, 401);
  const lease = await server.lease(node);
  const heartbeat = `/api/v1/runs/${lease.runId}/heartbeat`;
  const asPerson = await ask('POST', heartbeat, {
    token: adminToken,
    json: { leaseEpoch: lease.leaseEpoch, step: 'train', progress: null },
  });
  assert.equal(asPerson.status, 401);
});

test('reach: a porter stays in its suites, a maintainer with its packages', async () => {
  const wish = (token: string, json: unknown) => ask('POST', '/api/v1/jobs', { token, json });
  const porterElsewhere = await wish('of-the-porter', { source: 'other', suite: 'sid' });
  assert.equal(porterElsewhere.status, 403);
  assert.match(String(porterElsewhere.body.detail), /paula is porter of forky, not of suite sid/);
  const foreign = await wish('of-the-maintainer', { source: 'other', suite: 'sid' });
  assert.equal(foreign.status, 403);
  assert.match(String(foreign.body.detail), /mia is maintainer of mine, not of other/);
  const release = await ask('POST', '/api/v1/releases', {
    token: 'of-the-porter',
    json: { suite: 'sid', reason: 'why' },
  });
  assert.equal(release.status, 403);
  const unknown = await ask('GET', '/api/v1/releases/sid');
  assert.equal(unknown.status, 404);
});

test('a token is made once, is bound as its role needs, and ends with a reason', async () => {
  const make = (json: Record<string, unknown>) =>
    ask<TokenMade>('POST', '/api/v1/tokens', { token: adminToken, json: { reason: 'new porter', ...json } });
  for (const unbound of [
    { name: 'p', role: 'porter' },
    { name: 'p', role: 'porter', suites: ['sid'], sources: ['x'] },
    { name: 'm', role: 'maintainer', suites: ['sid'] },
    { name: 'a', role: 'admin', suites: ['sid'] },
    { name: 'd', role: 'developer' },
  ]) {
    assert.equal((await make(unbound)).status, 400, JSON.stringify(unbound));
  }
  const made = await make({ name: 'pete', role: 'porter', suites: ['sid'] });
  assert.equal(made.status, 201);
  assert.equal((await make({ name: 'pete', role: 'porter', suites: ['sid'] })).status, 409);
  const { token } = made.body;
  const first = await ask('POST', '/api/v1/jobs', { token, json: { source: 'other', suite: 'sid' } });
  assert.equal(first.status, 201);
  const revoke = { token: adminToken, json: { reason: 'left the team' } };
  assert.equal((await ask('POST', '/api/v1/tokens/pete/revoke', revoke)).status, 204);
  const after = await ask('POST', '/api/v1/jobs', { token, json: { source: 'other', suite: 'sid' } });
  assert.equal(after.status, 401);
  const known = await ask<string>('GET', '/api/v1/tokens', { token: adminToken });
  assert.ok(!JSON.stringify(known.body).includes(token));
});

test('the audit says who, what, when and why, newest first, in pages', async () => {
  const { body } = await ask<Page<AuditEntry>>('GET', '/api/v1/audit?limit=2&subject=token:pete');
  assert.deepEqual(
    body.items.map(({ actor, deed, reason }) => [actor, deed, reason]),
    [
      ['ada', 'tokens.revoke', 'left the team'],
      ['ada', 'tokens.make', 'new porter'],
    ],
  );
  const seen = new Set<number>();
  let next: string | null = '';
  while (next !== null) {
    const cursor: string = next === '' ? '' : `&cursor=${next}`;
    const page: { body: Page<AuditEntry> } = await ask<Page<AuditEntry>>(
      'GET',
      `/api/v1/audit?limit=5${cursor}`,
    );
    for (const { auditId } of page.body.items) {
      assert.ok(!seen.has(auditId));
      seen.add(auditId);
    }
    next = page.body.next;
  }
  assert.equal(seen.size, await db.audit.count());
  assert.equal((await ask('GET', '/api/v1/audit?cursor=zzz')).status, 400);
});
