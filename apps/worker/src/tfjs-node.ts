// TensorFlow for retrain-tfjs, as infra/gpu/install-tfjs-node left it on this node.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '@retraind/shared/wire/problems';

export interface TfjsNode {
  /** Without links: it is mounted into sandboxes. */
  folder: string;
  /** `TensorFlow 2.21.0 for cpu (sha256 …)`: goes into the record. */
  version: string;
}

interface Manifest {
  format: number;
  kind: string;
  tensorflow: string;
  sha256: string;
  files: { path: string; bytes: number }[];
}

/** Problem `tool-missing` where the folder is not there, or a file in it has another length than the manifest says. */
export function findTfjsNode(path: string): TfjsNode {
  const missing = (why: string): Problem =>
    new Problem('tool-missing', `${path} holds no TensorFlow: ${why}.`, 'Type: infra/gpu/install-tfjs-node');
  let folder: string;
  let manifest: Manifest;
  try {
    folder = realpathSync(path);
    manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  } catch (error) {
    throw missing((error as Error).message);
  }
  if (manifest.format !== 1) throw missing('its manifest is of another format');
  for (const file of manifest.files) {
    const size = statSync(join(folder, file.path), { throwIfNoEntry: false })?.size;
    if (size !== file.bytes) throw missing(`${file.path} is not as it was built`);
  }
  const { tensorflow, kind, sha256 } = manifest;
  return { folder, version: `TensorFlow ${tensorflow} for ${kind} (sha256 ${sha256})` };
}
