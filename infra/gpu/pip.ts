// A wheel by pip, which knows the machine's mirrors, proxies and certificates; without pip, by the index itself.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLine, onPath, run } from './command.ts';
import { InstallFault } from './fault.ts';
import type { Wheel } from './parts.ts';
import { watch } from './progress.ts';
import { downloadFromIndex } from './simple-index.ts';

let pip: Promise<string | null> | null = null;

/** The python that has pip, null where none has. */
const pythonWithPip = (): Promise<string | null> => {
  pip ??= (async () => {
    const python = onPath('python3');
    if (python === null) return null;
    return (await run(python, ['-m', 'pip', '--version'])).status === 0 ? python : null;
  })();
  return pip;
};

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
  }
}

/** Bytes of the largest file in a folder that pip is writing to: it fetches one, then copies it beside. */
function bytesBelow(folder: string): number {
  let bytes = 0;
  try {
    for (const path of filesBelow(folder)) {
      bytes = Math.max(bytes, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    }
  } catch {
    // A folder went while it was listed: the next look measures anew.
  }
  return bytes;
}

/** Fetches the wheel into `folder` and answers its path; its digest is for the caller to check. */
export async function downloadWheel(wheel: Wheel, folder: string): Promise<string> {
  const python = await pythonWithPip();
  const into = join(folder, `download-${wheel.project}`);
  mkdirSync(into, { recursive: true });
  const stop = watch(wheel.file.split('-')[0]!, wheel.bytes, () => bytesBelow(into));
  try {
    if (python === null) return await downloadFromIndex(wheel, into);
    return await byPip(python, wheel, into);
  } finally {
    stop();
  }
}

// The wheel is for CPython 3.11 whatever python is here: its libraries are for none.
const platforms = ['manylinux_2_27', 'manylinux_2_17', 'manylinux_2_12', 'manylinux2014', 'manylinux2010'];

async function byPip(python: string, wheel: Wheel, into: string): Promise<string> {
  const patience = process.env.PIP_DEFAULT_TIMEOUT ? [] : ['--timeout', '30'];
  const { status, said } = await run(
    python,
    [
      ...['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--only-binary=:all:', '--no-input'],
      ...['--progress-bar', 'off', '--retries', '2', ...patience],
      ...platforms.flatMap((platform) => ['--platform', `${platform}_x86_64`]),
      ...['--python-version', '311', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'],
      ...['--dest', into, `${wheel.project}==${wheel.version}`],
    ],
    // Where pip keeps what it is fetching: beside the result, not in a small /tmp.
    { env: { TMPDIR: into, PIP_DISABLE_PIP_VERSION_CHECK: '1' } },
  );
  if (status === 0) {
    const found = [...filesBelow(into)].find((path) => path.endsWith('.whl'));
    if (found) return found;
  }
  rmSync(into, { recursive: true, force: true });
  if (/No space left on device/i.test(said)) {
    throw new InstallFault(
      'disk',
      `the disk of ${into} is full`,
      'make room, or choose another by --folder PATH',
    );
  }
  if (/DO NOT MATCH THE HASHES/.test(said)) {
    throw new InstallFault(
      'digest',
      `${wheel.file} is not what the package index itself announces`,
      'somebody on the way changes files: look at the package index and proxy that pip uses, then run this again',
    );
  }
  throw new InstallFault(
    'unreachable',
    `pip cannot fetch ${wheel.project} ${wheel.version}: ${lastLine(said, /ERROR/).replace(/^ERROR: /, '')}`,
    'look whether this machine reaches a package index (PIP_INDEX_URL, PIP_PROXY), or bring the file and say --from FOLDER',
  );
}
