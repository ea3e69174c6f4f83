// The folder that infra/gpu/install-tfjs-node makes: TensorFlow's libraries, tfjs-node's binding built for them, and
// tfjs-node's own JavaScript. Where it is, and what its manifest says.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** As much of `manifest.json` as opening the engine needs; infra/gpu/manifest.ts writes it. */
export interface Manifest {
  format: 1;
  kind: 'cpu' | 'cuda';
  /** Of the libraries that the binding was built for, e.g. `2.21.0`. */
  tensorflow: string;
  /** Of npm's `@tensorflow/tfjs-node`, e.g. `4.22.0`. */
  tfjsNode: string;
  files: { path: string; bytes: number; sha256: string }[];
  /** Over the lines `<sha256>  <path>\n` of `files`. */
  sha256: string;
}

export interface EngineFolder {
  path: string;
  manifest: Manifest;
}

const cure = 'run infra/gpu/install-tfjs-node';

/** The installer's own place: a link to the newest folder of this kind, below the user's cache. */
export function cacheFolder(kind: Manifest['kind']): string {
  const cache = process.env.XDG_CACHE_HOME;
  return join(cache && isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'retraind/tfjs-node', kind);
}

/** Where the folder is looked for: $RETRAIN_TFJS_NODE, else the installer's own place for this kind. */
const folderPath = (kind: Manifest['kind']): string => process.env.RETRAIN_TFJS_NODE || cacheFolder(kind);

/**
 * The folder for this kind of engine, each file there at its full length. Digests are left to `install-tfjs-node --check`:
 * reading 650 MB at each start would take longer than a small run. Answers why not, in one line, where it cannot be used.
 */
export function engineFolder(kind: Manifest['kind']): EngineFolder | { unavailable: string } {
  const path = folderPath(kind);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as Manifest;
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'cannot be read';
    return { unavailable: `${join(path, 'manifest.json')} ${why}: ${cure}` };
  }
  if (manifest.format !== 1 || !Array.isArray(manifest.files)) {
    return { unavailable: `${path} is of another format than this retrain-tfjs reads: ${cure}` };
  }
  for (const file of manifest.files) {
    const size = statSync(join(path, file.path), { throwIfNoEntry: false })?.size;
    if (size === file.bytes) continue;
    const what = size === undefined ? 'is missing' : `has ${size} bytes in place of ${file.bytes}`;
    return { unavailable: `${join(path, file.path)} ${what}: ${cure}` };
  }
  return { path, manifest };
}
