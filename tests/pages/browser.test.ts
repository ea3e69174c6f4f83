// The pages in a real browser: the live log goes on by itself, nothing breaks the content policy, no other host is asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { startFarm } from '../api/farm-server.ts';
import { breakageOf } from '../support/scenario.ts';
import { provideTool } from '../support/tool.ts';

const { path: executablePath, absence } = await provideTool('chromium');

test('a log goes on in the page as it grows, as text, and the page turns final at its end', {
  skip: absence,
}, async () => {
  const server = await startFarm();
  const key = await server.enrol('live');
  const lease = await server.lease(key);
  const client = server.client(key, lease);
  await client.appendLog('first line\n');
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    const hosts = new Set<string>();
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.goto(`${server.address}/runs/${lease.runId}`, { waitUntil: 'load' });
    assert.equal(await page.locator('#log').textContent(), 'first line\n');
    await client.appendLog('<b>second</b> größe\n');
    await page.locator('#log', { hasText: '<b>second</b> größe' }).waitFor();
    assert.equal(await page.locator('#log').textContent(), 'first line\n<b>second</b> größe\n');
    await client.report(breakageOf('recipe'));
    await page.getByText('Blame: recipe').waitFor();
    assert.equal(await page.locator('#log').textContent(), 'first line\n<b>second</b> größe\n');
    assert.deepEqual(faults, []);
    assert.deepEqual([...hosts], [new URL(server.address).host]);
  } finally {
    await browser.close();
  }
});
