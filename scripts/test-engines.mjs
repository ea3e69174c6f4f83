// npm run test:engines: every engine that this machine can open, by one suite.
//   --cuda-wheel   on TensorFlow's CUDA library too, fetched first (2.4 GB with NVIDIA's own where the machine lacks them):
//                  it loads, trains without a GPU and says that there is none
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const flags = process.argv.slice(2);
if (flags.some((flag) => flag !== '--cuda-wheel')) {
  console.error('usage: npm run test:engines [-- --cuda-wheel]');
  process.exit(2);
}

const run = (program, args, options = {}) => {
  const { status, stdout } = spawnSync(program, args, {
    cwd: root,
    stdio: ['inherit', options.captured ? 'pipe' : 'inherit', 'inherit'],
    env: { ...process.env, ...options.env },
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout?.toString().trim();
};

run(process.execPath, ['scripts/prepare.mjs']);
run(process.execPath, ['scripts/test.mjs', 'packages/pipeline', 'tests/engines']);
if (flags.includes('--cuda-wheel')) {
  const folder = run('infra/gpu/install-tfjs-node', ['--cuda'], { captured: true });
  run(
    process.execPath,
    ['scripts/test.mjs', 'tests/engines/tfjs-node.test.ts', 'tests/engines/cuda-wheel.test.ts'],
    {
      env: { RETRAIN_TFJS_NODE: folder },
    },
  );
}
