// retrain release: all per-release recipes of a suite as one undertaking. --dry-run tells what it would do and asks for nothing.

import type { Release, ReleasePlan, ReleaseStarted, ReleaseSummary } from '@retraind/shared/wire/campaigns';
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Static } from 'typebox';
import { type Args, jsonOption, messageOption, type Verb } from '../args.ts';
import { type FarmClient, farmOptions, findFarm } from '../farm-client.ts';
import { table } from '../output.ts';
import { packageLines, packageVerdicts, planLines, reportLines } from '../release-view.ts';

const farmOf = (args: Args): Promise<FarmClient> =>
  findFarm({ farm: args.text('farm'), data: args.text('data') });

const releasePath = (word: string): string => `/api/v1/releases/${encodeURIComponent(word)}`;

export const release: Verb = {
  name: 'release',
  usage: 'release SUITE --dry-run [--requester NAME] [--json] | release SUITE -m WHY [--json]',
  summary: 'retrain all per-release recipes of a suite; --dry-run lists and sums, and asks for nothing',
  words: [1, 1],
  options: {
    ...farmOptions,
    'dry-run': { type: 'boolean', help: 'list models, runs, hours, kWh and refusals only' },
    requester: { type: 'string', value: 'NAME', help: 'with --dry-run: whose budget is looked at as well' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const suite = args.words[0]!;
    if (!args.flag('dry-run')) {
      const reason = args.reason();
      const farm = await farmOf(args);
      const started = await farm.post<ReleaseStarted>('/api/v1/releases', { suite, reason });
      const { releaseId, plan } = started.release;
      output.result(
        started,
        `release ${releaseId} of ${suite}: ${started.jobsMade} job(s) asked for, ${plan.refusals.length} package(s) refused\nsee ${farm.address}${started.release.pageHref}`,
      );
      return exitCodes.done;
    }
    const farm = await farmOf(args);
    const requester = args.text('requester');
    const query = requester === undefined ? '' : `?requester=${encodeURIComponent(requester)}`;
    const plan = await farm.get<Static<typeof ReleasePlan>>(
      `/api/v1/suites/${encodeURIComponent(suite)}/release-plan${query}`,
    );
    output.result(plan, planLines(plan).join('\n'));
    return exitCodes.done;
  },
};

const moveVerb = (deed: 'pause' | 'resume' | 'end', summary: string): Verb => ({
  name: `release ${deed}`,
  usage: `release ${deed} SUITE -m WHY [--json]`,
  summary,
  words: [1, 1],
  options: { ...farmOptions, ...messageOption, ...jsonOption },
  async run(args, output) {
    const suite = args.words[0]!;
    const farm = await farmOf(args);
    const moved = await farm.post<Release>(`/api/v1/suites/${encodeURIComponent(suite)}/release/${deed}`, {
      reason: args.reason(),
    });
    output.result(moved, `release ${moved.releaseId} of ${suite} is ${moved.state}: ${moved.reason}`);
    return exitCodes.done;
  },
});

export const releasePause = moveVerb('pause', 'place no more runs of a release; those that run go on');
export const releaseResume = moveVerb('resume', 'let a paused release go on');
export const releaseEnd = moveVerb('end', 'close a release: jobs of which nothing runs are cancelled');

export const releaseReport: Verb = {
  name: 'release report',
  usage: 'release report SUITE|RELEASE [--json]',
  summary:
    'what a release has come to: jobs and verdicts counted, the verdicts of each package, spent beside estimated',
  words: [1, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await farmOf(args);
    const found = await farm.get<Release>(releasePath(args.words[0]!));
    const { plan: _, jobs, ...report } = found;
    const packages = packageVerdicts(jobs);
    const told = [...reportLines(found), ...(packages.length === 0 ? [] : ['', packageLines(packages)])];
    output.result({ ...report, packages, estimated: found.plan.sums }, told.join('\n'));
    return exitCodes.done;
  },
};

export const releaseShow: Verb = {
  name: 'release show',
  usage: 'release show SUITE|RELEASE [--json]',
  summary: 'a release with its plan and its jobs',
  words: [1, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await farmOf(args);
    const found = await farm.get<Release>(releasePath(args.words[0]!));
    const rows = found.jobs.map((job) => [
      job.jobId,
      `${job.source} ${job.version}`,
      job.state,
      job.reason ?? '',
    ]);
    const jobs = rows.length === 0 ? 'no jobs' : table([['JOB', 'PACKAGE', 'STATE', 'REASON'], ...rows]);
    output.result(found, [...reportLines(found), '', jobs].join('\n'));
    return exitCodes.done;
  },
};

export const releaseList: Verb = {
  name: 'release list',
  usage: 'release list [--json]',
  summary: 'all releases, the newest first',
  words: [0, 0],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await farmOf(args);
    const { items } = await farm.get<{ items: ReleaseSummary[] }>('/api/v1/releases');
    const rows = items.map((one) => [
      one.releaseId,
      one.suite,
      one.state,
      one.startedBy,
      one.startedAt,
      one.reason,
    ]);
    const head = ['RELEASE', 'SUITE', 'STATE', 'STARTED BY', 'AT', 'REASON'];
    output.result({ releases: items }, items.length === 0 ? 'no releases' : table([head, ...rows]));
    return exitCodes.done;
  },
};
