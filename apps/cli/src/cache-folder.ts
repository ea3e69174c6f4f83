// Where verbs that work without a farm keep what can be fetched or made again.
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cacheFolder = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retraind');
