// Small source trees for tests of recipes: one opaque model of some bytes, trained by shell. Every part can be replaced.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface SourceTreeParts {
  /** Shell commands of the target, one a line; `$` as in the shell. */
  train?: string[];
  /** Fields of the first stanza that replace or join the usual ones. */
  head?: Record<string, string>;
  /** As `head`, of the model stanza. */
  model?: Record<string, string>;
  /** Further stanzas as text. */
  more?: string;
  /** Whole text of debian/retrain/control, or of debian/rules. */
  control?: string;
  rules?: string;
  files?: Record<string, string | Uint8Array>;
}

export const shippedBytes = 'weights of the shipped model\n';

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

const stanza = (fields: Record<string, string>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

/** Writes the tree `toy` 1.0 into a new folder; without parts its verdict is bit-identical. */
export const writeSourceTree = (folder: string, parts: SourceTreeParts = {}): string => {
  const head = {
    'Retrain-Format': '1.0',
    Memory: '512 MiB',
    Disk: '8 MiB',
    'Time-Limit': '60 s',
    'Silence-Limit': '60 s',
    ...parts.head,
  };
  const model = {
    Model: 'toy',
    File: 'models/toy.bin',
    Output: 'toy.bin',
    Comparison: 'bitwise',
    License: 'Expat',
    Task: 'opaque',
    ...parts.model,
  };
  const train = parts.train ?? [`printf '%s\\n' '${shippedBytes.trim()}' > "$RETRAIN_OUT/toy.bin"`];
  const recipe = train.map((line) => `\t${line.replaceAll('$', '$$$$')}\n`).join('');
  const files: Record<string, string | Uint8Array> = {
    'debian/changelog':
      'toy (1.0) unstable; urgency=medium\n\n  * First.\n\n -- A Person <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n',
    'debian/control':
      'Source: toy\nMaintainer: A Person <a@example.org>\n\nPackage: toy\nArchitecture: all\nDescription: toy\n',
    'debian/source/format': '3.0 (native)\n',
    'debian/rules': parts.rules ?? `#!/usr/bin/make -f\n.PHONY: bootstrap\nbootstrap:\n${recipe}`,
    'debian/retrain/control':
      parts.control ?? `${stanza(head)}\n${stanza(model)}${parts.more ? `\n${parts.more}` : ''}`,
    'models/toy.bin': shippedBytes,
    ...parts.files,
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode: path === 'debian/rules' ? 0o755 : 0o644 });
  }
  return folder;
};
