// The machine as a vendor's adapter sees it: its files below a root, and its tools.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Problem } from '@retraind/shared/wire/problems';

/** More than any tool prints of 64 devices (nvidia-smi: 50 KB a device, most of it clocks). */
export const outputBytes = 16 * 2 ** 20;
/** Without a persistence daemon nvidia-smi wakes each device first: some seconds each. */
const toolMilliseconds = 60_000;

export interface Machine {
  /** Where `path` (absolute) lies; for the path that a program will see, use `path` itself. */
  at(path: string): string;
  exists(path: string): boolean;
  /** Text of a small file, trimmed; null where it is not there or may not be read. */
  text(path: string): string | null;
  /** Names in a folder, in order; none where it is not there. */
  names(path: string): string[];
  /** `path` without links; null where it is not there. */
  real(path: string): string | null;
  /** What a tool prints; null where it is not installed. Problem `device-fault` where it fails or takes too long. */
  ask(program: string, args: readonly string[]): Promise<string | null>;
}

const run = promisify(execFile);

/** This machine. `root`: another place for its files, in tests. */
export const openMachine = (root = ''): Machine => {
  const at = (path: string): string => join(root, path);
  return {
    at,
    exists: (path) => existsSync(at(path)),
    text: (path) => {
      try {
        return readFileSync(at(path), 'utf8').trim();
      } catch {
        return null;
      }
    },
    names: (path) => {
      try {
        return readdirSync(at(path)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      } catch {
        return [];
      }
    },
    real: (path) => {
      try {
        const real = realpathSync(at(path));
        return root !== '' && real.startsWith(root) ? real.slice(root.length) : real;
      } catch {
        return null;
      }
    },
    ask: async (program, args) => {
      try {
        const { stdout } = await run(program, args, {
          timeout: toolMilliseconds,
          maxBuffer: outputBytes,
          env: { PATH: process.env.PATH ?? '/usr/bin:/bin:/opt/rocm/bin', LC_ALL: 'C.UTF-8' },
        });
        return stdout;
      } catch (error) {
        const { code, stderr } = error as { code?: unknown; stderr?: string };
        if (code === 'ENOENT') return null;
        const said = (stderr ?? '').trim().split('\n').at(-1) || (error as Error).message;
        throw new Problem(
          'device-fault',
          `${program} ${args.join(' ')} fails: ${said.slice(0, 500)}`,
          'Read the kernel’s log (dmesg); a device that fell off the bus needs a restart of the machine.',
        );
      }
    },
  };
};
