// Options of the scheduler; infra/conf/scheduler.conf lists them, and a test compares.
import {
  listenOption,
  logLevelOption,
  numberOption,
  requiredText,
  textOption,
  urlOption,
} from '@retraind/host/config';
import { policyOption } from '@retraind/host/policy-option';

export const schedulerOptions = {
  databaseUrl: urlOption('DATABASE_URL', ['postgresql', 'postgres'], {
    help: 'the farm’s PostgreSQL; a direct connection, no pooler in transaction mode',
    required: true,
    secret: true,
  }),
  redisUrl: urlOption('REDIS_URL', ['redis', 'rediss'], {
    help: 'Redis 7 or Valkey for the queue; unset: BullMQ’s tables in the farm’s database',
    secret: true,
  }),
  artifacts: requiredText('RETRAIND_ARTIFACTS', { help: 'folder of the artifacts, shared with the api' }),
  state: requiredText('RETRAIND_STATE', {
    help: 'folder for the scheduler’s own state (private apt lists)',
    fallback: '/var/lib/retraind/scheduler',
  }),
  overlays: textOption('RETRAIND_OVERLAYS', {
    help: 'folder with recipes for packages that have none of their own',
  }),
  seed: textOption('RETRAIND_SEED', {
    help: 'job seed for every new job instead of public randomness; for demonstrations and tests only',
  }),
  policy: policyOption(),
  tickSeconds: numberOption(
    'RETRAIND_TICK_SECONDS',
    { least: 0.05, most: 3_600 },
    { help: 'longest time between two looks at the world; changes wake it sooner', fallback: '2' },
  ),
  leaseSeconds: numberOption(
    'RETRAIND_LEASE_SECONDS',
    { least: 1, most: 3_600 },
    { help: 'a lease without heartbeat for this long is lost; the same as the api’s', fallback: '20' },
  ),
  listen: listenOption('RETRAIND_LISTEN', {
    help: 'address of /healthz, /readyz and /metrics; port 0 takes any',
    fallback: '127.0.0.1:0',
  }),
  logLevel: logLevelOption(),
};
