// TensorFlow for CUDA, packed and cut into pieces that any way to the machine takes: 50 MB at most each.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '../../infra/gpu/wheel.ts';

const pieceBytes = 50_000_000;
const installer = fileURLToPath(new URL('../../infra/gpu/install-tfjs-node', import.meta.url));

/** Installs the CUDA parts where they are not yet, and writes pieces, SHA256SUMS and join.sh into `folder`, whole or not at all. */
export async function writePieces(folder: string): Promise<void> {
  const made = spawnSync(installer, ['--cuda'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (made.status !== 0) throw new Error(`install-tfjs-node --cuda ended with status ${made.status}`);
  const installed = realpathSync(made.stdout.trim());
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  // Weakly packed: 4 GB at the usual strength would take an hour a core.
  const pack = `tar -C "$1" -cf - . | xz -0 -T0 | split --bytes=${pieceBytes} --numeric-suffixes --suffix-length=3 - "$2/tensorflow.tar.xz."`;
  execFileSync('bash', ['-o', 'pipefail', '-c', pack, 'pack', installed, part], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const names = readdirSync(part).sort();
  const sums: string[] = [];
  let bytes = 0;
  for (const name of names) {
    sums.push(`${await digestOf(join(part, name), 'sha256')}  ${name}\n`);
    bytes += statSync(join(part, name)).size;
  }
  writeFileSync(join(part, 'SHA256SUMS'), sums.join(''));
  copyFileSync(fileURLToPath(new URL('join.sh', import.meta.url)), join(part, 'join.sh'));
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  console.log(`${folder}: ${names.length} pieces, ${(bytes / 1e6).toFixed(0)} MB`);
}
