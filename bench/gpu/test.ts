// npm run test:gpu: unpacks the bundle into an empty folder and runs it there as on a bare machine: no checkout, no node on
// PATH. Arguments go to ./run; --pieces FOLDER joins TensorFlow's pieces first.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const archive = fileURLToPath(new URL('../../build/gpu/retraind-gpu.tar.xz', import.meta.url));
const args = process.argv.slice(2);
const at = args.indexOf('--pieces');
const pieces = at >= 0 ? args.splice(at, 2)[1] : null;
if (!existsSync(archive)) {
  console.error('test:gpu: there is no bundle yet\n  type: npm run bundle:gpu');
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), 'retraind-gpu-test-'));
try {
  execFileSync('tar', ['-C', work, '-xf', archive]);
  const folder = join(work, 'retraind-gpu');
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(HOME|LANG|CUDA_|NVIDIA_|VK_|RETRAIN)/.test(name)),
  );
  const options = {
    stdio: 'inherit' as const,
    cwd: work,
    env: { ...env, PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
  };
  if (pieces) execFileSync('sh', [join(resolve(pieces), 'join.sh'), folder], options);
  process.exitCode = spawnSync(join(folder, 'run'), args, options).status ?? 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
