// Every page from canned data: what it must show, that hostile names stay text, and that nothing needs script or another host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homePage } from '@retraind/api/pages/home.tsx';
import { jobPage, jobsPage } from '@retraind/api/pages/job.tsx';
import { readSeries } from '@retraind/api/pages/metrics-lines';
import { modelPage } from '@retraind/api/pages/model.tsx';
import { nodesPage } from '@retraind/api/pages/nodes.tsx';
import { packagePage, versionPage } from '@retraind/api/pages/package.tsx';
import { problemPage, problemsPage, problemTypePage } from '@retraind/api/pages/problem.tsx';
import { runPage } from '@retraind/api/pages/run.tsx';
import { Problem } from '@retraind/shared/wire/problems';
import type { ModelKnown } from '@retraind/shared/wire/resources';
import * as canned from './canned.ts';

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
  runs: [],
  clauses: [{ nodeId: '0123456789abcdef', clause: 'accelerator', holds: false, detail: 'wants cuda:sm_90' }],
};
const log = { tail: 'hello\n', skippedBytes: 0, resumeAt: '1:6' };

/** Each page by name, made from resources that `change` has gone over. */
function allPages(change: <T>(value: T) => T): Record<string, string> {
  const { job, jobSummary, node, run, version, verdict, different } = change({ ...canned });
  const package_ = { source: version.source, versions: [version], href: '/a', pageHref: '/b' };
  const problem = change({ detail: 'It broke.', hint: 'Mend it.' });
  return {
    home: homePage({
      versions: [version, { ...version, jobs: [] }],
      running: [jobSummary],
      nodes: [node],
    }),
    jobs: jobsPage([jobSummary], 'next-cursor'),
    job: jobPage({
      job: { ...job, verdicts: [verdict, different] },
      curves: [curve],
      explanation: change(explanation),
    }),
    run: runPage({ run, series: curve.series, log: change(log) }),
    package: packagePage(package_, job),
    version: versionPage(version, { ...job, verdicts: [different] }),
    nodes: nodesPage([node]),
    model: modelPage(change(model)),
    problem: problemPage(new Problem('conflict', problem.detail, problem.hint), 'request-1'),
    problemType: problemTypePage('lease-lost'),
    problems: problemsPage(),
  };
}

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

test('empty farms have pages too', () => {
  assert.match(homePage({ versions: [], running: [], nodes: [] }), /No package with a recipe is known yet/);
  assert.match(jobsPage([], null), /No jobs yet/);
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
  const keys = new Set(['href', 'pageHref', 'logHref', 'metricsHref', 'weightsHref', 'jobHref', 'runHref']);
  const closed = new Set([
    'state',
    'rung',
    'step',
    'outcome',
    'blame',
    'kind',
    'role',
    'createdAt',
    'foundAt',
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
    assert.doesNotMatch(html, /<script>|<img/, name);
    // An attribute ends only at a quote that we wrote: no tag may hold a bare `onerror`.
    assert.doesNotMatch(html.replace(/"[^"]*"/g, '""'), /<[^>]*\sonerror/, name);
  }
  assert.ok(allPages((value) => poison(value)).job!.includes('&lt;script>alert(1)'), 'it is shown as text');
});
