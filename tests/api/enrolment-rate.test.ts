// Requests to enrol are counted for all api processes together, also those that are refused for what they are.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildApp } from '@retraind/api/app';
import { startFarm } from './farm-server.ts';

const server = await startFarm();
const second = await buildApp(server.farm);
const secondAddress = await second.listen({ host: '127.0.0.1', port: 0 });
after(() => second.close());

const ask = (address: string) => fetch(`${address}/api/v1/nodes/enrol`, { method: 'POST' });

test('what an address asks of one api counts at another, and heals with time at both', async () => {
  const begun = performance.now();
  let taken = 0;
  // 401: without a token.
  while (taken < 100 && (await ask(taken % 2 === 0 ? server.address : secondAddress)).status === 401) taken++;
  const filled = ((performance.now() - begun) / 60_000) * 30;
  assert.ok(taken >= 30 && taken <= 30 + filled, `${taken} were taken`);

  await server.db.$executeRaw`UPDATE enrolment_bucket SET tokens = 0`;
  for (const address of [server.address, secondAddress]) {
    const refused = await ask(address);
    assert.equal(refused.status, 503);
    assert.match(((await refused.json()) as { detail: string }).detail, /Too many requests to enrol/);
  }

  await server.db.$executeRaw`UPDATE enrolment_bucket SET at = at - interval '1 minute'`;
  // Each api looks again a second after it refused an address.
  const deadline = Date.now() + 10_000;
  for (const address of [server.address, secondAddress]) {
    let { status } = await ask(address);
    while (status === 503 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ({ status } = await ask(address));
    }
    assert.equal(status, 401);
  }
});
