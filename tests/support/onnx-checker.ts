// The checker of PyPI's package `onnx`, in a virtual environment of its own below .cache: the one judge of a file's form that is
// neither our writer nor onnxruntime. Every version is pinned; Python 3.11 or later.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const requirements = [
  'onnx==1.19.1',
  'numpy==2.4.6',
  'protobuf==7.36.2',
  'ml_dtypes==0.6.0',
  'typing_extensions==4.16.0',
];
const digest = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12);
const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
const folder = join(cache, `onnx-checker-${digest}`);

/** Reads one model a line (its path), answers a line each: `ok`, or the first line of what is wrong. */
const program = `
import sys, onnx
for path in sys.stdin.read().splitlines():
    try:
        onnx.checker.check_model(path, full_check=True)
        print("ok")
    except Exception as error:
        print(str(error).splitlines()[0] or type(error).__name__)
`;

/** A short line of why; pip's last words are the ones that say it. */
const reason = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) || 'no reason given';

/** Makes the environment once; answers why it cannot be made here, or null. */
export function prepareOnnxChecker(): string | null {
  if (existsSync(folder)) return null;
  mkdirSync(cache, { recursive: true });
  // A virtual environment does not move well, but its interpreter does: it is called by path, and nothing else of it is.
  const part = `${folder}.${process.pid}.part`;
  try {
    const made = spawnSync('python3', ['-m', 'venv', part], { encoding: 'utf8' });
    if (made.error) return `there is no python3: ${made.error.message}`;
    if (made.status !== 0)
      return `python3 makes no virtual environment: ${reason(made.stdout + made.stderr)}`;
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary',
      ':all:',
    ];
    const timeout = 300_000;
    const python = join(part, 'bin/python');
    const installed = spawnSync(python, [...pip, '--timeout', '20', '--retries', '1', ...requirements], {
      encoding: 'utf8',
      timeout,
    });
    if (installed.status !== 0) return `PyPI's onnx is out of reach: ${reason(installed.stderr ?? '')}`;
    if (!existsSync(folder)) renameSync(part, folder);
    return null;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** What the checker says of each file, with shapes inferred: `ok`, or what is wrong. */
export function checkOnnx(paths: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(join(folder, 'bin/python'), ['-c', program], {
    input: paths.join('\n'),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the checker ended with ${status}: ${reason(stderr)}`);
  return stdout.trim().split('\n');
}
