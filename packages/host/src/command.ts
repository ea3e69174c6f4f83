// Runs a program of the machine to its end and keeps what it said. For short commands only: a package's own code runs in
// the worker's sandbox, never here.
import { spawn } from 'node:child_process';
import { Problem } from '@retraind/shared/wire/problems';

export interface CommandOptions {
  cwd?: string;
  /** The whole environment; `process.env` where absent. */
  env?: NodeJS.ProcessEnv;
  input?: string;
  signal?: AbortSignal;
  /** What is kept of stdout and of stderr each, bytes; a program that says more is ended. 64 MiB where absent. */
  maxOutputBytes?: number;
}

export interface CommandResult {
  /** Exit status; 128 + n where signal n ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

const signalNumbers: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** Resolves with the exit status, whatever it is. Problem `tool-missing` where there is no such program. */
export const runCommand = (
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      signal: options.signal,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const maxBytes = options.maxOutputBytes ?? 64 * 1024 * 1024;
    const kept: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    let overflow = false;
    for (const name of ['stdout', 'stderr'] as const) {
      let bytes = 0;
      child[name].on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) {
          overflow = true;
          child.kill('SIGKILL');
        } else kept[name].push(chunk);
      });
    }
    // A program may end without reading its input: that is its own affair.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(missing ? new Problem('tool-missing', `${file} is not on this machine`) : error);
    });
    child.on('close', (code, signal) => {
      if (overflow) return reject(new Problem('too-large', `${file} says more than ${maxBytes} bytes`));
      resolve({
        code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0),
        stdout: Buffer.concat(kept.stdout).toString('utf8'),
        stderr: Buffer.concat(kept.stderr).toString('utf8'),
      });
    });
  });
