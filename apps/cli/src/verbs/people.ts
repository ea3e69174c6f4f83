// retrain token, audit, approve: who may do what, who did what, and a person's yes.

import type { AuditEntry, Token, TokenMade } from '@retraind/shared/wire/campaigns';
import type { Page } from '@retraind/shared/wire/page';
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Job } from '@retraind/shared/wire/resources';
import { type Args, jsonOption, messageOption, type Verb } from '../args.ts';
import { type FarmClient, farmOptions, findFarm } from '../farm-client.ts';
import { findJob } from '../job-lookup.ts';
import { table } from '../output.ts';

const farmOf = (args: Args): Promise<FarmClient> =>
  findFarm({ farm: args.text('farm'), data: args.text('data') });

export const tokenMake: Verb = {
  name: 'token make',
  usage:
    'token make NAME --role porter|maintainer|admin [--suite SUITE …] [--source SOURCE …] -m WHY [--json]',
  summary: 'make a token for a person; it is printed once, and the farm keeps its hash alone',
  words: [1, 1],
  options: {
    ...farmOptions,
    role: {
      type: 'string',
      value: 'ROLE',
      help: 'porter: triggers in suites; maintainer: asks for its packages; admin',
    },
    suite: { type: 'string', value: 'SUITE', multiple: true, help: 'of a porter; * is all' },
    source: { type: 'string', value: 'SOURCE', multiple: true, help: 'source package of a maintainer' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const farm = await farmOf(args);
    const made = await farm.post<TokenMade>('/api/v1/tokens', {
      name: args.words[0],
      role: args.text('role'),
      suites: args.texts('suite'),
      sources: args.texts('source'),
      reason: args.reason(),
    });
    output.say(`token of ${made.name}; it is not shown again. Use it as RETRAIND_TOKEN`);
    output.result(made, made.token);
    return exitCodes.done;
  },
};

export const tokenList: Verb = {
  name: 'token list',
  usage: 'token list [--json]',
  summary: 'who bears a token, with role and reach',
  words: [0, 0],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await farmOf(args);
    const { items } = await farm.get<{ items: Token[] }>('/api/v1/tokens');
    const rows = items.map((one) => [
      one.name,
      one.role,
      [...one.suites, ...one.sources].join(' ') || '–',
      one.createdAt,
      one.revokedAt ?? '–',
    ]);
    const head = ['NAME', 'ROLE', 'REACH', 'MADE', 'REVOKED'];
    output.result({ tokens: items }, items.length === 0 ? 'no tokens' : table([head, ...rows]));
    return exitCodes.done;
  },
};

export const tokenRevoke: Verb = {
  name: 'token revoke',
  usage: 'token revoke NAME -m WHY [--json]',
  summary: 'end the token of a person',
  words: [1, 1],
  options: { ...farmOptions, ...messageOption, ...jsonOption },
  async run(args, output) {
    const [name] = args.words as [string];
    const farm = await farmOf(args);
    await farm.deed(`/api/v1/tokens/${encodeURIComponent(name)}/revoke`, { reason: args.reason() });
    output.result({ revoked: name }, `the token of ${name} is revoked`);
    return exitCodes.done;
  },
};

export const audit: Verb = {
  name: 'audit',
  usage: 'audit [--actor NAME] [--deed DEED] [--subject SUBJECT] [--limit N] [--json]',
  summary: 'who did what, when and why; the newest first',
  words: [0, 0],
  options: {
    ...farmOptions,
    actor: { type: 'string', value: 'NAME', help: 'a token’s name, or a program (intake, farm, scheduler)' },
    deed: { type: 'string', value: 'DEED', help: 'for example jobs.cancel' },
    subject: { type: 'string', value: 'SUBJECT', help: 'for example job:ID, node:ID, budget:suite:forky' },
    limit: { type: 'string', value: 'N', help: 'how many (default: 50, at most 200)' },
    ...jsonOption,
  },
  async run(args, output) {
    const query = new URLSearchParams({ limit: String(args.wholeNumber('limit', 1, 200) ?? 50) });
    for (const name of ['actor', 'deed', 'subject']) {
      const value = args.text(name);
      if (value !== undefined) query.set(name, value);
    }
    const farm = await farmOf(args);
    const { items, next } = await farm.get<Page<AuditEntry>>(`/api/v1/audit?${query}`);
    const rows = items.map((one) => [one.at, one.actor, one.deed, one.subject, one.reason]);
    const head = ['AT', 'WHO', 'DEED', 'WHAT', 'WHY'];
    output.result({ entries: items, next }, items.length === 0 ? 'nothing' : table([head, ...rows]));
    return exitCodes.done;
  },
};

export const approve: Verb = {
  name: 'approve',
  usage: 'approve JOB|SOURCE -m WHY [--json]',
  summary: 'let a job run whose expected cost is over the threshold of a budget',
  words: [1, 1],
  options: { ...farmOptions, ...messageOption, ...jsonOption },
  async run(args, output) {
    const farm = await farmOf(args);
    const { jobId } = await findJob(farm, args.words[0]!);
    const job = await farm.post<Job>(`/api/v1/jobs/${jobId}/approve`, { reason: args.reason() });
    output.result(job, `job ${job.jobId}: ${job.source} ${job.version} is ${job.state}`);
    return exitCodes.done;
  },
};
