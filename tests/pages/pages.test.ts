// Every page from canned data: what it must show, that hostile names stay text, and that nothing needs script or another host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homePage } from '@retraind/api/pages/home.tsx';
import { jobPage, jobsPage } from '@retraind/api/pages/job.tsx';
import { readSeries } from '@retraind/api/pages/metrics-lines';
import { modelPage } from '@retraind/api/pages/model.tsx';
import { nodePage } from '@retraind/api/pages/node.tsx';
import { nodesPage } from '@retraind/api/pages/nodes.tsx';
import { packagePage, versionPage } from '@retraind/api/pages/package.tsx';
import { problemPage, problemsPage, problemTypePage } from '@retraind/api/pages/problem.tsx';
import { runPage } from '@retraind/api/pages/run.tsx';
import { falseAlarmSentence } from '@retraind/shared/verdict/false-alarms';
import { Problem } from '@retraind/shared/wire/problems';
import type { ModelKnown } from '@retraind/shared/wire/resources';
import * as canned from './canned.ts';
import { node as cannedNode, nodeDetail } from './canned-node.ts';

const model: ModelKnown = {
  sha256: 'a'.repeat(64),
  kept: false,
  bytes: null,
  seenAs: [
    {
      role: 'shipped',
      source: 'clothes',
      version: '1.0-1',
      model: 'clothes',
      jobId: 'job1abcdefgh',
      runId: 'run1abcdefgh',
      seed: 7,
      rung: 'different',
      sentence: canned.different.sentence,
      jobHref: '',
      runHref: '',
    },
  ],
  weightsHref: null,
};
const curve = { runId: 'run1', label: 'seed 7', series: readSeries(canned.metricsText(7))! };
const explanation = {
  jobId: 'job1abcdefgh',
  state: 'needs-retrain' as const,
  sentence: 'No node has what it asks for.',
  licence: 'licence: not evaluated',
  runs: [],
  clauses: [
    { nodeId: '0123456789abcdef', slot: 0, clause: 'accelerator', holds: false, detail: 'wants cuda:sm_90' },
  ],
};
const falseAlarms = falseAlarmSentence(140, 3);
const log = { tail: 'hello\n', skippedBytes: 0, resumeAt: '1:6' };

/** Each page by name, made from resources that `change` has gone over. */
function allPages(change: <T>(value: T) => T): Record<string, string> {
  const { job, jobSummary, node, run, version, verdict, different, edited } = change({
    ...canned,
    node: cannedNode,
  });
  const package_ = { source: version.source, versions: [version], href: '/a', pageHref: '/b' };
  const problem = change({ detail: 'It broke.', hint: 'Mend it.' });
  return {
    home: homePage({
      versions: [version, { ...version, jobs: [] }],
      running: [jobSummary],
      nodes: [node],
      falseAlarms,
    }),
    jobs: jobsPage([jobSummary], 'next-cursor', falseAlarms),
    job: jobPage({
      job: { ...job, verdicts: [verdict, different, edited] },
      curves: [curve],
      explanation: change(explanation),
    }),
    run: runPage({ run, series: curve.series, log: change(log) }),
    package: packagePage(package_, job),
    version: versionPage(version, { ...job, verdicts: [different] }),
    nodes: nodesPage([node]),
    node: nodePage(change(nodeDetail)),
    model: modelPage(change(model)),
    problem: problemPage(new Problem('conflict', problem.detail, problem.hint), 'request-1'),
    problemType: problemTypePage('lease-lost'),
    problems: problemsPage(),
  };
}

const [inventoryFault] = nodeDetail.inventoryFaults as [string];
const plain = allPages((value) => value);

test('a verdict shows rung, sentence, numbers, tests, bounds, and always its limits', () => {
  for (const wanted of [
    'statistically equivalent',
    canned.verdict.sentence,
    '0.8835',
    '0.8822 ± 0.0018',
    '± 0.015',
    'churn ratio',
    '1.04',
    'peer distance, noise',
    '&lt; 0.0001',
    'What this cannot exclude',
    ...canned.verdict.limits,
    'trigger-like',
    'Statement on clothes (in-toto)',
    canned.job.statements[0]!.href,
    'host-root',
  ]) {
    assert.ok(plain.job!.includes(wanted), wanted);
  }
});

test('a difference shows its battery in groups, confirmation, triggers beside retrains, gap, lone rows, registration', () => {
  const picture = `${canned.job.href}/pictures/${'7'.repeat(64)}`;
  for (const wanted of [
    'trigger-like (class 7)',
    `<img class="trigger" src="${picture}"`,
    'Behaviour on held-out data',
    'Behaviour off the data: probes',
    'Confirmed by 3 fresh retrains',
    'Train-test gap',
    'would not stand out: which data were used cannot be told',
    'the recipe declares no Slices',
    '412 (7, 2)',
    '17 (6, 4)',
    'Which inputs these rows are',
    'noted <time dateTime="2026-11-22T09:59:00.000Z">',
    canned.verdict.registered!.recipeSha256.slice(12),
    'every file by digest',
  ]) {
    assert.ok(
      plain.job!.includes(wanted) || plain.job!.replaceAll('datetime', 'dateTime').includes(wanted),
      wanted,
    );
  }
  const plot = plain.job!.match(/<figure class="chart triggers">.*?<\/figure>/s)![0];
  assert.equal(plot.match(/class="retrain"/g)?.length, 30, 'three retrains in each of ten classes');
  assert.equal(plot.match(/class="shipped"/g)?.length, 10);
  assert.match(plot, /aria-label="[^"]*trigger by class. class 7: shipped 5.5, retrains 43, 48, 46.5/);
  assert.doesNotMatch(plain.job!, /malicious|is safe/i);
  const { triggers: _, ...unsearched } = canned.different;
  const why = 'dNC not run: operator Einsum';
  const page = jobPage({
    job: { ...canned.job, verdicts: [{ ...unsearched, triggers: { ran: false, why } }] },
    curves: [],
    explanation: null,
  });
  assert.ok(page.includes(`No search for triggers: ${why}`));
});

test('verdicts of an older farm, without ids and newer fields, are shown too', () => {
  const old = canned.verdict.tests.map(({ id: _, ...test }) => test) as typeof canned.verdict.tests;
  const { registered: _, ...verdict } = { ...canned.verdict, tests: old };
  const page = jobPage({
    job: { ...canned.job, verdicts: [verdict as typeof canned.verdict] },
    curves: [],
    explanation: null,
  });
  assert.ok(page.includes('Other tests') && page.includes('peer distance, noise'));
});

test('lineage shows five axes with the limits, the reruns, the tensors, and whether the data matter', () => {
  for (const wanted of [
    'Declared seed 42, run 4 times here',
    'The data matter: a run on shortened data gives other bytes',
    '6000 of 60000 records withheld',
    'RETRAIN_NUMERICS 3',
    'dense/bias',
    'edited-lineage',
  ]) {
    assert.ok(plain.job!.includes(wanted), wanted);
  }
  const plot = plain.job!.match(/<figure class="chart lineage">.*?<\/figure>/s)![0];
  assert.match(plot, /worst tensor 41, test 2, noise 0, patch 2.5; limits 2 and 3"/);
  const diamonds = [...plot.matchAll(/class="shipped" d="M([\d.]+) /g)].map((match) => Number(match[1]));
  assert.equal(diamonds.length, 5);
  const [weights, worst, test, noise, patch] = diamonds as [number, number, number, number, number];
  assert.ok(noise < weights && weights < test && test < patch && patch < worst, diamonds.join(' '));
  const [, from, width] = plot.match(/class="margin" x="([\d.]+)" y="\d+" width="([\d.]+)"/)!.map(Number);
  assert.ok(test >= from! - 0.2 && patch < from! + width! && worst > from! + width!);
  assert.doesNotMatch(plot, /NaN|Infinity/);
});

test('lists of verdicts say how many false alarms to expect, in words', () => {
  for (const html of [plain.home!, plain.jobs!]) {
    assert.match(
      html,
      /Of 140 models judged by statistics three are called different; were all honest, up to \w+ /,
    );
  }
});

test('a run shows seed, node, digests, "unsigned", taints, curve and log', () => {
  for (const wanted of [
    String(canned.run.seed),
    '0123456789abcdef',
    canned.run.outputs[0]!.weightsHref,
    canned.run.references[0]!.sha256,
    'unsigned',
    'unsandboxed',
    '<polyline',
    'hello\n',
    'data-resume="1:6"',
    'amd64+sm90',
    'GPU-7a',
  ]) {
    assert.ok(plain.run!.includes(wanted), wanted);
  }
});

test('the home page has the verdict table, running jobs and nodes; a job page says why it waits', () => {
  for (const wanted of ['clothes', canned.verdict.sentence, '5 of 5 runs', 'NVIDIA H100', 'no job']) {
    assert.ok(plain.home!.includes(wanted), wanted);
  }
  assert.ok(plain.job!.includes('wants cuda:sm_90'));
  assert.ok(plain.jobs!.includes('href="/jobs?cursor=next-cursor"'));
});

test('a node’s page shows state with who and why, both inventories, tags with their provenance, vitals and leases', () => {
  const { inventory, tags } = nodeDetail;
  for (const wanted of [
    'online</span> by ada since',
    'read from the recording <code>nvidia-h100</code>',
    inventoryFault,
    'not approved, not used',
    ...tags.map(({ tag }) => `<code>${tag}</code>`),
    'claimed by the node',
    'set by ada',
    'probed by the farm',
    'none, until an admin says it too',
    'mandatory: keeps the node for work that asks for it',
    'CPU 1.5 %, memory 0 %, I/O 12.25 %',
    '0.3 s ahead of the farm',
    `${inventory!.program}, protocol 2`,
    'at most 8 h, by their declared limit',
    nodeDetail.runs[0]!.runId,
    'it is in the rack',
  ]) {
    assert.ok(plain.node!.includes(wanted), wanted);
  }
  for (const html of [plain.nodes!, plain.home!]) assert.match(html, />replayed</);
  const empty = nodePage({
    ...nodeDetail,
    inventory: null,
    approvedInventory: null,
    vitals: null,
    tags: [],
    deeds: [],
    runs: [],
  });
  assert.match(empty, /runs use the CPU/);
  const late = nodePage({ ...nodeDetail, clockRefusedAt: canned.at, clockOffsetSeconds: -172_800 });
  assert.match(late, /A token made 172800 s behind the farm's clock was refused/);
});

test('empty farms have pages too', () => {
  assert.match(
    homePage({ versions: [], running: [], nodes: [], falseAlarms }),
    /No package with a recipe is known yet/,
  );
  assert.match(jobsPage([], null, falseAlarms), /No jobs yet/);
  const waiting = {
    ...canned.run,
    outputs: [],
    references: [],
    leases: [],
    retraininfo: null,
    provenance: null,
  };
  assert.match(
    runPage({ run: waiting, series: null, log: { tail: '', skippedBytes: 0, resumeAt: null } }),
    /Nothing yet/,
  );
  const lost = {
    ...canned.verdict,
    shipped: null,
    metric: null,
    tests: [],
    bounds: [],
    rung: 'not-verifiable' as const,
  };
  assert.match(
    jobPage({ job: { ...canned.job, verdicts: [lost], runs: [] }, curves: [], explanation: null }),
    /no shipped file was found/,
  );
});

test('pages carry no inline script or style, no handler, and no other host', () => {
  for (const [name, html] of Object.entries(plain)) {
    assert.match(html, /^<!doctype html><html lang="en">/, name);
    assert.doesNotMatch(html, /<script(?![^>]* src="\/public\/[a-z-]+\.js")/, name);
    assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
    for (const [, address] of html.matchAll(/\s(?:href|src|action)="([^"]*)"/g)) {
      assert.match(address!, /^(\/(?!\/)|#)/, `${name}: ${address}`);
    }
    assert.match(html, /<meta name="viewport"/, name);
    assert.equal(html.match(/<h1/g)?.length, 1, `${name} has one main heading`);
  }
});

test('hostile names, sentences and logs stay text on every page', () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&`;
  const keys = new Set([
    'href',
    'evidenceHref',
    'pageHref',
    'logHref',
    'metricsHref',
    'weightsHref',
    'jobHref',
    'runHref',
  ]);
  const closed = new Set([
    'state',
    'rung',
    'id',
    'kind',
    'set',
    'by',
    'axis',
    'purpose',
    'step',
    'outcome',
    'blame',
    'kind',
    'role',
    'createdAt',
    'foundAt',
    'provenance',
  ]);
  const poison = <T>(value: T, key = ''): T => {
    if (typeof value === 'string') {
      if (keys.has(key) || closed.has(key) || /At$/.test(key)) return value;
      return `${value}${evil}` as T;
    }
    if (Array.isArray(value)) return value.map((item) => poison(item, key)) as T;
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poison(item, name)])) as T;
    }
    return value;
  };
  for (const [name, html] of Object.entries(allPages((value) => poison(value)))) {
    // The only pictures are those of recovered triggers.
    assert.doesNotMatch(html, /<script>|<img(?! class="trigger" src="\/api\/v1\/)/, name);
    // An attribute ends only at a quote that we wrote: no tag may hold a bare `onerror`.
    assert.doesNotMatch(html.replace(/"[^"]*"/g, '""'), /<[^>]*\sonerror/, name);
  }
  assert.ok(allPages((value) => poison(value)).job!.includes('&lt;script>alert(1)'), 'it is shown as text');
});
