// Ids of jobs and runs: 12 characters of [0-9a-z], 62 bits of chance. They stand in URLs, file names and queue names, so
// they hold no `:` and no capital.
import { randomInt } from 'node:crypto';

const digits = '0123456789abcdefghijklmnopqrstuvwxyz';

export const newId = (): string => Array.from({ length: 12 }, () => digits[randomInt(36)]).join('');
