// The binding's native half, loaded at once or at its first operation. TensorFlow reads its thread counts when it is loaded,
// and only the first step shows how large the net is.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

type Members = Record<string, unknown>;

const load = (path: string): Members => createRequire(path)(path) as Members;

let loaded = false;

/** Whether the library has read its settings. */
export const isLoaded = (): boolean => loaded;

/** Loads it in a process of its own: prints its constants, and the names of its functions as null. */
const probe = `
const binding = require(process.argv[1]);
const members = Object.getOwnPropertyNames(binding).map((name) => [name, typeof binding[name] === 'function' ? null : binding[name]]);
process.stdout.write(JSON.stringify(Object.fromEntries(members)));
`;

const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0]!;

/**
 * The binding's members as an object of our own, whose members may be replaced. `later`: the library is loaded when the first
 * function is called (it is tried in another process now); for a library without a GPU only.
 */
export function openNative(
  path: string,
  { later }: { later: boolean },
): { members: Members } | { unavailable: string } {
  try {
    if (!later) {
      const native = load(path);
      loaded = true;
      const names = Object.getOwnPropertyNames(native);
      return { members: Object.fromEntries(names.map((name) => [name, native[name]])) };
    }
    const found = execFileSync(process.execPath, ['-e', probe, path], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
    });
    return { members: lazily(path, JSON.parse(found.toString()) as Members) };
  } catch (error) {
    return { unavailable: `TensorFlow does not load: ${firstLine(error)}` };
  }
}

function lazily(path: string, found: Members): Members {
  const members: Members = { ...found };
  const stubs: Members = {};
  for (const [name, value] of Object.entries(found)) {
    if (value !== null) continue;
    stubs[name] = (...args: unknown[]) => {
      if (!loaded) {
        const native = load(path);
        loaded = true;
        // Members that somebody replaced stay replaced: they call the stubs, which find the native functions now.
        for (const [known, stub] of Object.entries(stubs)) {
          if (members[known] === stub) members[known] = native[known];
          stubs[known] = native[known];
        }
      }
      return (stubs[name] as (...values: unknown[]) => unknown)(...args);
    };
    members[name] = stubs[name];
  }
  // tfjs-node's backend asks at once; the answer for a CPU's library is known.
  members.isUsingGpuDevice = () => false;
  return members;
}
