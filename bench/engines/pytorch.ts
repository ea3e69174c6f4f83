// The peer's own environment: PyTorch from PyPI in a cache outside the repository, made once. $RETRAIND_BENCH_PYTHON names
// another Python that has it (a GPU machine's, say).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const version = '2.15.0';

/** Path of a Python with PyTorch; null with a line on stderr where there is none to be had. */
export function pytorchPython(): string | null {
  if (process.env.RETRAIND_BENCH_PYTHON) return process.env.RETRAIND_BENCH_PYTHON;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'retraind');
  const folder = join(cache, `pytorch-${version}`);
  const python = join(folder, 'bin/python');
  const works = (): boolean => spawnSync(python, ['-c', 'import torch, numpy']).status === 0;
  if (existsSync(python) && works()) return python;
  console.error(
    `installing PyTorch ${version} into ${folder} (5.4 GB with its CUDA parts, which it needs to load)`,
  );
  const made =
    spawnSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' }).status === 0 &&
    spawnSync(python, ['-m', 'pip', 'install', '--quiet', `torch==${version}`, 'numpy==2.4.6'], {
      stdio: 'inherit',
    }).status === 0;
  if (made && works()) return python;
  console.error('no PyTorch here: the peer is left out (set RETRAIND_BENCH_PYTHON to a Python that has it)');
  return null;
}
