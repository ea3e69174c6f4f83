// retrain request: ask the farm to retrain a package.
import { randomUUID } from 'node:crypto';
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Job } from '@retraind/shared/wire/resources';
import { jsonOption, messageOption, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';

export const request: Verb = {
  name: 'request',
  usage: 'request SOURCE [--version V] [--suite S] [--seed N] [--override] [-m WHY] [--json]',
  summary: 'ask the farm to retrain a package',
  words: [1, 1],
  options: {
    ...farmOptions,
    version: { type: 'string', value: 'V', help: 'this version (default: the newest that the farm knows)' },
    suite: { type: 'string', value: 'S', help: 'in this suite' },
    seed: {
      type: 'string',
      value: 'N',
      help: 'job seed given by you, instead of one from public randomness',
    },
    override: { type: 'boolean', help: 'in spite of the ledger of the infeasible (an admin may; needs -m)' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const seed = args.wholeNumber('seed', 0, 999_999_999_999_999);
    const job = await farm.post<Job>(
      '/api/v1/jobs',
      {
        source: args.words[0],
        version: args.text('version'),
        suite: args.text('suite'),
        seed: seed === undefined ? undefined : String(seed),
        override: args.flag('override') || undefined,
        reason: args.flag('override') ? args.reason() : args.text('message'),
      },
      { 'idempotency-key': randomUUID() },
    );
    output.result(
      job,
      `job ${job.jobId}: ${job.source} ${job.version} is ${job.state}\nsee ${farm.address}/jobs/${job.jobId}`,
    );
    return exitCodes.done;
  },
};
