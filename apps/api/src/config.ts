// Every option of the api; infra/conf is compared with this table.
import {
  listenOption,
  logLevelOption,
  numberOption,
  requiredText,
  textOption,
  urlOption,
} from '@retraind/host/config';
import { policyOption } from '@retraind/host/policy-option';

export const options = {
  databaseUrl: {
    ...urlOption('DATABASE_URL', ['postgres', 'postgresql'], {
      help: 'the PostgreSQL database of the farm',
      required: true,
      secret: true,
    }),
  },
  listen: listenOption('RETRAIND_LISTEN', {
    help: 'address to listen on; loopback unless told otherwise, port 0 takes any',
    fallback: '127.0.0.1:8480',
  }),
  artifacts: requiredText('RETRAIND_ARTIFACTS', { help: 'folder of the artifacts' }),
  adminToken: textOption('RETRAIND_ADMIN_TOKEN', {
    help: 'a bearer token with the role admin; its hash is stored at start',
    secret: true,
  }),
  leaseSeconds: numberOption(
    'RETRAIND_LEASE_SECONDS',
    { least: 1, most: 3_600 },
    { help: 'a lease that is not heard of for so long is lost', fallback: '20' },
  ),
  heartbeatSeconds: numberOption(
    'RETRAIND_HEARTBEAT_SECONDS',
    { least: 0.1, most: 600 },
    { help: 'how often a worker is to be heard', fallback: '5' },
  ),
  graceSeconds: numberOption(
    'RETRAIND_GRACE_SECONDS',
    { least: 0, most: 3_600 },
    { help: 'how long a run that is to leave its slot may take to write a checkpoint', fallback: '60' },
  ),
  policy: policyOption(),
  gramsPerKwh: numberOption(
    'RETRAIND_GRAMS_CO2E_PER_KWH',
    { least: 0, most: 5_000 },
    { help: 'grams of CO2 equivalent that a kWh costs here; 0: bills name none', fallback: '0' },
  ),
  logLevel: logLevelOption(),
};
