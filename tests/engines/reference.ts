// What the engines are compared with, from a process of its own: it needs another Float32Array under tfjs.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CaseValues } from './case-values.ts';
import type { Story } from './net-story.ts';

export interface Reference {
  kernels: Record<string, CaseValues>;
  nets: Record<string, Story>;
}

export async function reference(): Promise<Reference> {
  const program = fileURLToPath(new URL('./float64.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout.slice(stdout.indexOf('{"kernels"'))) as Reference;
}
