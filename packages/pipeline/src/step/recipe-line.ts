// Which line of the recipe asked for an operation, for messages about steps that cannot be compiled.
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

// This file lies in src/step/, or in the one folder of the bundle.
const here = dirname(fileURLToPath(import.meta.url));
const own = here.endsWith(`${sep}src${sep}step`) ? dirname(here) : here;
const foreign = [
  'node:',
  `${sep}node_modules${sep}`,
  'tfjs-',
  'nodejs_kernel_backend',
  `${sep}dist${sep}`,
  'internal/',
];

/** ` (train.mjs:12)`: the innermost line of a stack that is neither ours nor tfjs's; '' where there is none. */
export function recipeLine({ stack = '' }: Error): string {
  for (const line of stack.split('\n').slice(1)) {
    const at = /\(?((?:file:\/\/)?[^\s()]+):(\d+):\d+\)?$/.exec(line.trim());
    if (!at) continue;
    const path = at[1]!.startsWith('file:') ? fileURLToPath(at[1]!) : at[1]!;
    const ours = path.startsWith(own + sep) && !/\.test\.[mc]?[jt]s$/.test(path);
    if (ours || foreign.some((part) => path.includes(part))) continue;
    return ` (${path.slice(path.lastIndexOf(sep) + 1)}:${at[2]})`;
  }
  return '';
}

/** V8 keeps ten lines of a stack; a kernel call lies deeper. */
export const stackDepth = 200;

/** The same for the code that runs now. */
export function lineOfTheRecipe(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = stackDepth;
  const error = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return recipeLine(error);
}
