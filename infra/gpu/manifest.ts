// What is in a folder, with digests: the last file that is written, and the one that makes the folder count as whole.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Manifest } from '@retraind/pipeline/engine/tensorflow/folder';
import { type Kind, npmPackages, tensorflowVersion, tfjsNodeVersion, type Wheel } from './parts.ts';
import { digestOf } from './wheel.ts';

const name = 'manifest.json';

export async function writeManifest(folder: string, kind: Kind, wheels: readonly Wheel[]): Promise<void> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== name)
    .sort();
  const files: Manifest['files'] = [];
  for (const path of paths) {
    const at = join(folder, path);
    files.push({ path, bytes: statSync(at).size, sha256: await digestOf(at, 'sha256') });
  }
  const lines = files.map((file) => `${file.sha256}  ${file.path}\n`).join('');
  const manifest: Manifest & { from: string[] } = {
    format: 1,
    kind,
    tensorflow: tensorflowVersion,
    tfjsNode: tfjsNodeVersion,
    sha256: createHash('sha256').update(lines).digest('hex'),
    from: [
      ...wheels.map((wheel) => `${wheel.file} sha256-${wheel.sha256}`),
      ...npmPackages.map((npm) => `${npm.name} ${npm.version} ${npm.integrity}`),
    ],
    files,
  };
  writeFileSync(join(folder, name), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The folder's first fault, null where it is whole; `thorough` reads each file, else only its length is looked at. */
export async function manifestFault(folder: string, thorough: boolean): Promise<string | null> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Manifest;
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT'
      ? 'is not there'
      : `has a ${name} that cannot be read`;
  }
  for (const file of manifest.files) {
    const at = join(folder, file.path);
    const size = statSync(at, { throwIfNoEntry: false })?.size;
    if (size === undefined) return `lacks ${file.path}`;
    if (size !== file.bytes) return `has ${file.path} with ${size} bytes in place of ${file.bytes}`;
    if (thorough && (await digestOf(at, 'sha256')) !== file.sha256)
      return `has another ${file.path} than was built`;
  }
  return null;
}
