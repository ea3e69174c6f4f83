// The pages in a real browser: the live log goes on by itself, nothing breaks the content policy, no other host is asked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as verdicts from '@retraind/prisma/store/verdicts';
import { chromium } from 'playwright-core';
import { startFarm } from '../api/farm-server.ts';
import { breakageOf, makeJob } from '../support/scenario.ts';
import { provideTool } from '../support/tool.ts';
import { different } from './canned.ts';

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

test('a verdict shows a recovered trigger without JavaScript, on narrow screens too, within the content policy', {
  skip: absence,
}, async () => {
  const server = await startFarm();
  const { jobId } = await makeJob(server.db);
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
    'base64',
  );
  const { sha256 } = await server.farm.artifacts.putText(picture);
  const { triggers } = different;
  if (!triggers?.ran) throw new Error('the canned verdict has triggers');
  const classes = triggers.classes.map((found) => ({
    ...found,
    pictureSha256: found.pictureSha256 && sha256,
  }));
  const alarms = different.alarms.map((alarm) => ({ ...alarm, pictureSha256: sha256 }));
  await verdicts.put(server.db, jobId, [{ ...different, triggers: { ran: true, classes }, alarms }]);
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  try {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 380, height: 800 },
    });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    const answers: [string, number][] = [];
    page.on('response', (response) => answers.push([response.url(), response.status()]));
    await page.goto(`${server.address}/jobs/${jobId}`, { waitUntil: 'networkidle' });
    const image = page.locator('.alarm img.trigger');
    assert.equal(await image.getAttribute('src'), `/api/v1/jobs/${jobId}/pictures/${sha256}`);
    const box = await image.boundingBox();
    assert.ok(box && box.width > 50 && box.x >= 0 && box.x + box.width <= 380, JSON.stringify(box));
    assert.ok(answers.some(([url, status]) => url.endsWith(sha256) && status === 200));
    const plot = await page.locator('.chart.triggers svg').boundingBox();
    assert.ok(plot && plot.x + plot.width <= 380, JSON.stringify(plot));
    const summary = page.locator('summary', { hasText: 'Pictures of the triggers' });
    await summary.click();
    assert.ok(await page.getByText('class 7: mask 5.5').isVisible());
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
  }
});
