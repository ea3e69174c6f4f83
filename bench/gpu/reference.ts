// In the bundle, in place of tests/engines/reference.ts: what that one computed when the bundle was made.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Reference } from '../../tests/engines/reference.ts';

export const reference = async (): Promise<Reference> =>
  JSON.parse(readFileSync(fileURLToPath(new URL('reference.json', import.meta.url)), 'utf8')) as Reference;
