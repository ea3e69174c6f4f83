// Every file that is made from code, by path: `npm run reference` writes them, tests/cli/reference.test.ts finds stale ones.
import { options as apiOptions } from '../apps/api/src/config.ts';
import { cliReference } from '../apps/cli/src/reference.ts';
import { schedulerOptions } from '../apps/scheduler/src/config.ts';
import { workerOptions } from '../apps/worker/src/config.ts';
import { printVerdictSchema } from '../packages/shared/src/wire/verdict-schema.ts';
import { blameReference } from './blame-tables.ts';
import { configurationFile } from './configuration-file.ts';
import { verdictPage, verdictReference } from './verdict-tables.ts';

export const referencePages: Record<string, () => string | Promise<string>> = {
  'docs/reference/blame.md': blameReference,
  'docs/reference/cli.md': cliReference,
  [verdictPage]: verdictReference,
  'docs/reference/verdict.schema.json': printVerdictSchema,
  'infra/conf/api.conf': () => configurationFile('api', apiOptions),
  'infra/conf/scheduler.conf': () => configurationFile('scheduler', schedulerOptions),
  'infra/conf/worker.conf': () => configurationFile('worker', workerOptions),
};
