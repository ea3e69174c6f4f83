// Runs another program to its end, quietly: what it said is for the fault that its failure becomes.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Ended {
  status: number;
  /** Standard output and error in the order of their arrival, at most the last 100 kB. */
  said: string;
}

const kept = 100_000;

/** Full path of a program on PATH, null where there is none. */
export function onPath(name: string): string | null {
  if (name.includes('/')) return isProgram(name) ? name : null;
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const running = new Set<ChildProcess>();

/** Ends what `run` has started: it would go on writing into a folder that is taken away. */
export function endAll(): void {
  for (const child of running) child.kill();
}

/** A program that cannot be started ends with 127. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let said = '';
    const listen = (chunk: Buffer) => {
      said = (said + chunk).slice(-kept);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', (error) => resolve({ status: 127, said: error.message }));
    child.on('close', (status) => {
      running.delete(child);
      resolve({ status: status ?? 128, said });
    });
  });
}

/** The last line that matches, else the last that is not empty. */
export function lastLine(said: string, pattern = /\S/): string {
  const lines = said.split(/[\r\n]+/).map((line) => line.trim());
  return lines.findLast((line) => pattern.test(line)) ?? lines.findLast(Boolean) ?? 'no message';
}
