// retrain ledger: models that cannot be retrained, with reason, evidence, estimate, reviewer and expiry.
import { ledgerReasons, reasonWords } from '@retraind/shared/ledger/entry';
import { shortHours } from '@retraind/shared/policy/approval';
import type { LedgerEntry } from '@retraind/shared/wire/campaigns';
import { exitCodes, Problem } from '@retraind/shared/wire/problems';
import { type Args, jsonOption, messageOption, shown, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';

function entryLines(entry: LedgerEntry): string[] {
  const { ledgerId, source, model, estimate } = entry;
  const standing = entry.inForce
    ? `until ${entry.expiresAt.slice(0, 10)}`
    : entry.removedAt === null
      ? `expired ${entry.expiresAt.slice(0, 10)}`
      : `removed by ${entry.removedBy}: ${entry.removedReason}`;
  return [
    `${ledgerId}  ${source}${model === null ? '' : ` (${model})`}: ${reasonWords[entry.reason]}; ${standing}`,
    `    ${entry.detail}`,
    ...entry.evidence.map((address) => `    see ${address}`),
    ...(estimate === null
      ? []
      : [
          `    a training: ${shortHours(estimate.gpuHours)} GPU-hours (${estimate.gpuHoursRange.map(shortHours).join(' to ')}) of a ${estimate.device}, ${shortHours(estimate.kilowattHours)} kWh, by 6·N·D with N = ${estimate.parameters.toPrecision(3)}, D = ${estimate.tokens.toPrecision(3)}`,
          `    ${estimate.basis}`,
        ]),
    `    reviewed by ${entry.reviewer}, ${entry.reviewedAt.slice(0, 10)}`,
  ];
}

export const ledgerList: Verb = {
  name: 'ledger list',
  usage: 'ledger list [--all] [--json]',
  summary: 'models that cannot be retrained: why, on what evidence, until when',
  words: [0, 0],
  options: {
    ...farmOptions,
    all: { type: 'boolean', help: 'expired and removed entries too' },
    ...jsonOption,
  },
  async run(args, output) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const { items } = await farm.get<{ items: LedgerEntry[] }>('/api/v1/ledger');
    const entries = args.flag('all') ? items : items.filter(({ inForce }) => inForce);
    output.result({ entries }, entries.flatMap(entryLines).join('\n') || 'the ledger is empty');
    return exitCodes.done;
  },
};

function trainingOf(args: Args) {
  const [parameters, tokens, basis] = [
    args.number('parameters', { least: 1, most: 1e15 }),
    args.number('tokens', { least: 1, most: 1e18 }),
    args.text('basis'),
  ];
  if (parameters === undefined && tokens === undefined && basis === undefined) return undefined;
  if (parameters === undefined || tokens === undefined || basis === undefined) {
    throw new Problem('usage', 'an estimate needs --parameters, --tokens and --basis together');
  }
  return { parameters, tokens, basis };
}

/** The day on which an entry ends. */
function expiryOf(args: Args): string {
  const text = args.text('until');
  if (text === undefined) throw new Problem('usage', 'an entry must expire', 'say --until YYYY-MM-DD');
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(Number.NaN);
  // The 31st of February would be taken for a day of March.
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(text)) {
    const example = new Date(Date.now() + 2 * 365 * 86_400_000).toISOString().slice(0, 10);
    throw new Problem(
      'usage',
      `--until ${shown(text)}: there is no such day`,
      `write a day as in --until ${example}`,
    );
  }
  return date.toISOString();
}

export const ledgerAdd: Verb = {
  name: 'ledger add',
  usage: `ledger add SOURCE --reason ${ledgerReasons.join('|')} --detail TEXT --until DATE [--model NAME] [--evidence URL …] [--parameters N --tokens D --basis TEXT] -m WHY [--json]`,
  summary: 'enter what cannot be retrained; waiting jobs of the package become auto-not-for-us',
  words: [1, 1],
  options: {
    ...farmOptions,
    reason: {
      type: 'string',
      value: 'REASON',
      help: ledgerReasons.map((one) => `${one}: ${reasonWords[one]}`).join('; '),
    },
    detail: { type: 'string', value: 'TEXT', help: 'what is known, for people' },
    until: { type: 'string', value: 'DATE', help: 'when it must be looked at again, YYYY-MM-DD' },
    model: { type: 'string', value: 'NAME', help: 'one model only (default: all of the package)' },
    evidence: { type: 'string', value: 'URL', multiple: true, help: 'a public document that says so' },
    parameters: {
      type: 'string',
      value: 'N',
      help: 'parameters that are trained: the cost is computed as 6·N·D operations',
    },
    tokens: { type: 'string', value: 'D', help: 'tokens that training reads' },
    basis: { type: 'string', value: 'TEXT', help: 'where N and D come from' },
    ...messageOption,
    ...jsonOption,
  },
  async run(args, output) {
    const why = args.reason();
    const body = {
      source: args.words[0],
      model: args.text('model'),
      reason: args.text('reason'),
      detail: args.text('detail'),
      evidence: args.texts('evidence'),
      training: trainingOf(args),
      expiresAt: expiryOf(args),
      why,
    };
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const added = await farm.post<LedgerEntry>('/api/v1/ledger', body);
    output.result(added, entryLines(added).join('\n'));
    return exitCodes.done;
  },
};

export const ledgerRemove: Verb = {
  name: 'ledger remove',
  usage: 'ledger remove ENTRY -m WHY [--json]',
  summary: 'remove an entry; the jobs that it refused wait again',
  words: [1, 1],
  options: { ...farmOptions, ...messageOption, ...jsonOption },
  async run(args, output) {
    const id = args.words[0]!;
    if (!/^\d{1,9}$/.test(id))
      throw new Problem(
        'usage',
        `${shown(id)} is no number of an entry`,
        'retrain ledger list shows the numbers',
      );
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const removed = await farm.post<LedgerEntry>(`/api/v1/ledger/${id}/remove`, { reason: args.reason() });
    output.result(removed, entryLines(removed).join('\n'));
    return exitCodes.done;
  },
};
