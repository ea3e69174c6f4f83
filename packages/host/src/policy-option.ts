// RETRAIND_POLICY: the scheduling policy of a farm, for the scheduler that decides and the api that explains.
import { readFileSync } from 'node:fs';
import { readPolicy } from '@retraind/shared/policy/policy-file';
import type { SchedulingPolicy } from '@retraind/shared/policy/world';
import { Problem } from '@retraind/shared/wire/problems';
import type { Option } from './config.ts';

export const policyOption = (): Option<SchedulingPolicy | undefined> => ({
  name: 'RETRAIND_POLICY',
  help: 'JSON file with the scheduling policy where it differs from the default; the same for api and scheduler',
  fallback: undefined,
  required: false,
  secret: false,
  read(path) {
    try {
      return { value: readPolicy(readFileSync(path, 'utf8'), path) };
    } catch (error) {
      return { fault: error instanceof Problem ? error.detail : (error as Error).message };
    }
  },
});
