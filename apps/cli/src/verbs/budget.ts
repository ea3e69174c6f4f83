// retrain budget: hours that a suite or a requester may spend. A hard stop: what does not fit waits, with the reason.

import { shortHours } from '@retraind/shared/policy/approval';
import type { Budget } from '@retraind/shared/wire/campaigns';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { type Args, jsonOption, messageOption, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';
import { table } from '../output.ts';

const limits = {
  'gpu-hours': 'gpuHours',
  'cpu-hours': 'cpuHours',
  'approval-gpu-hours': 'approvalGpuHours',
  'approval-cpu-hours': 'approvalCpuHours',
} as const;

/** As the farm takes them (wire/campaigns). */
const mostHours = 1e9;

/** Hours as they are given, or null for `none`; undefined where the option is absent. */
function hoursOf(args: Args, name: keyof typeof limits): number | null | undefined {
  if (args.text(name) === 'none') return null;
  return args.number(name, { least: 0, most: mostHours, or: ' (hours), or none,' });
}

const shown = (hours: number | null): string => (hours === null ? 'none' : shortHours(hours));

const lines = (budgets: Budget[]): string => {
  const head = ['ACCOUNT', 'UNIT', 'LIMIT', 'SPENT', 'RESERVED', 'APPROVAL ABOVE', 'SINCE'];
  const rows = budgets.flatMap((one) => [
    [
      one.account,
      'GPU-h',
      shown(one.gpuHours),
      shown(one.spentGpuHours),
      shown(one.reservedGpuHours),
      shown(one.approvalGpuHours),
      one.since,
    ],
    [
      one.account,
      'CPU-h',
      shown(one.cpuHours),
      shown(one.spentCpuHours),
      shown(one.reservedCpuHours),
      shown(one.approvalCpuHours),
      one.since,
    ],
  ]);
  return rows.length === 0 ? 'no budgets: nothing limits what is spent' : table([head, ...rows]);
};

export const budgetShow: Verb = {
  name: 'budget show',
  usage: 'budget show [ACCOUNT] [--json]',
  summary: 'what accounts may spend, have spent, and have set aside for running runs',
  words: [0, 1],
  options: { ...farmOptions, ...jsonOption },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { items } = await farm.get<{ items: Budget[] }>('/api/v1/budgets');
    const [account] = args.words;
    const found = account === undefined ? items : items.filter((one) => one.account === account);
    if (account !== undefined && found.length === 0) {
      throw new Problem('not-found', `${account} has no budget`, 'retrain budget set gives it one');
    }
    output.result({ budgets: found }, lines(found));
    return exitCodes.done;
  },
};

export const budgetSet: Verb = {
  name: 'budget set',
  usage:
    'budget set suite:NAME|requester:NAME [--gpu-hours N] [--cpu-hours N] [--approval-gpu-hours N] [--approval-cpu-hours N] [--renew] -m WHY [--json]',
  summary: 'limit what a suite or a requester may spend; N is a number or none, what is left out stays',
  words: [1, 1],
  options: {
    ...farmOptions,
    'gpu-hours': {
      type: 'string',
      value: 'N',
      help: 'hours of devices: one an hour of each device that a run uses',
    },
    'cpu-hours': { type: 'string', value: 'N', help: 'hours of CPU slots, for runs that use no device' },
    'approval-gpu-hours': {
      type: 'string',
      value: 'N',
      help: 'a job that is expected to take more waits for an admin',
    },
    'approval-cpu-hours': { type: 'string', value: 'N', help: 'the same in CPU-hours' },
    renew: { type: 'boolean', help: 'forget what was spent: a new period begins' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const reason = args.reason();
    const given = Object.fromEntries(
      Object.entries(limits).flatMap(([option, field]) => {
        const hours = hoursOf(args, option as keyof typeof limits);
        return hours === undefined ? [] : [[field, hours]];
      }),
    );
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const body = { account: args.words[0], ...given, renew: args.flag('renew'), reason };
    const set = await farm.post<Budget>('/api/v1/budgets', body);
    output.result(set, lines([set]));
    return exitCodes.done;
  },
};
