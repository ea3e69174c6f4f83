// retrain log: the log of a run, whole or as it grows.
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '@retraind/shared/wire/problems';
import type { Run } from '@retraind/shared/wire/resources';
import { jsonOption, type Verb } from '../args.ts';
import { farmOptions, findFarm } from '../farm-client.ts';

const pollMilliseconds = 500;

export const log: Verb = {
  name: 'log',
  usage: 'log RUN [--follow] [--metrics] [--json]',
  summary: 'the log of a run, whole or as it grows',
  words: [1, 1],
  options: {
    ...farmOptions,
    follow: { type: 'boolean', help: 'go on until the run ends' },
    metrics: { type: 'boolean', help: 'the metrics lines instead of the log' },
    ...jsonOption,
  },
  async run(args, output, signal) {
    const farm = await findFarm({ farm: args.text('farm'), data: args.text('data') });
    const path = `/api/v1/runs/${encodeURIComponent(args.words[0]!)}`;
    let run = await farm.get<Run>(path);
    const href = args.flag('metrics') ? run.metricsHref : run.logHref;
    let text = await farm.text(href);
    if (output.json) {
      output.result({ runId: run.runId, state: run.state, text }, text);
      return exitCodes.done;
    }
    process.stdout.write(text);
    while (args.flag('follow') && run.state === 'leased' && !signal.aborted) {
      await sleep(pollMilliseconds, undefined, { signal }).catch(() => undefined);
      run = await farm.get<Run>(path);
      const next = await farm.text(href);
      // A new lease begins a new log: show it from its start.
      process.stdout.write(next.startsWith(text) ? next.slice(text.length) : next);
      text = next;
    }
    return exitCodes.done;
  },
};
