// The .dsc of a fetched source package against what lies beside it: apt has checked each file against the signed index;
// this holds name, version and list of files to what was asked for.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fieldOf, readDeb822, valueIn } from '@retraind/shared/recipe/deb822';
import { Problem } from '@retraind/shared/wire/problems';

export interface Dsc {
  source: string;
  version: string;
  files: { name: string; sha256: string; bytes: number }[];
}

const maxDscBytes = 1024 * 1024;

/** Reads a .dsc, signed or not (the signature is not checked). Problem `invalid-archive`. */
export const readDsc = async (path: string): Promise<Dsc> => {
  const bad = (detail: string): Problem => new Problem('invalid-archive', `${path}: ${detail}`);
  if ((await stat(path)).size > maxDscBytes) throw bad('larger than 1 MiB');
  const [stanza] = readDeb822(await readFile(path, 'utf8'), { file: path, clearSigned: true });
  const source = stanza && valueIn(stanza, 'Source');
  const version = stanza && valueIn(stanza, 'Version');
  const list = stanza && fieldOf(stanza, 'Checksums-Sha256');
  if (!source || !version) throw bad('no Source or no Version');
  if (!list) throw bad('no Checksums-Sha256');
  const files = list.lines
    .filter(({ text }) => text.trim() !== '')
    .map(({ text }) => {
      const match = /^\s*([0-9a-f]{64})\s+(\d{1,15})\s+([A-Za-z0-9][A-Za-z0-9.+:~_-]*)\s*$/.exec(text);
      if (!match) throw bad(`no checksum line: ${text.trim().slice(0, 80)}`);
      return { sha256: match[1]!, bytes: Number(match[2]), name: match[3]! };
    });
  return { source, version, files };
};

export const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** The .dsc's own files lie beside it, with the digests it says. Problems `invalid-archive`, `digest-mismatch`. */
export const checkDscFiles = async (path: string): Promise<Dsc> => {
  const dsc = await readDsc(path);
  for (const file of dsc.files) {
    const beside = join(dirname(path), file.name);
    const found = await stat(beside).catch(() => null);
    if (!found?.isFile())
      throw new Problem('invalid-archive', `${path} names ${file.name}, which is not there`);
    if (found.size !== file.bytes || (await sha256OfFile(beside)) !== file.sha256) {
      throw new Problem('digest-mismatch', `${file.name} is not the file that ${path} names`);
    }
  }
  return dsc;
};
