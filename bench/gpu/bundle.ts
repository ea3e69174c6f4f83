// npm run bundle:gpu: what a bare machine with a GPU and without network needs to run the suite and the benchmark.
//   build/gpu/retraind-gpu.tar.xz    ./run, a stripped node, one bundled script a process, dawn.node, the Vulkan loader
//   build/gpu/tensorflow/            with --tensorflow: TensorFlow for CUDA as numbered pieces, join.sh, SHA256SUMS
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { findLibrary } from '../../infra/gpu/cuda.ts';
import { placeDawn } from '../../infra/gpu/webgpu.ts';
import { reference } from '../../tests/engines/reference.ts';
import { writePieces } from './pieces.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const root = here('../..');
const out = join(root, 'build/gpu');
const largestBytes = 45e6;

// tfjs's CommonJS files ask for require and for the folder of their .wasm, also from a module.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url), __filename = __fileURLToPath(import.meta.url), __dirname = __fileURLToPath(new URL('.', import.meta.url)).slice(0, -1);`;

async function writeScripts(lib: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: {
      gpu: here('main.ts'),
      suite: here('suite.ts'),
      'timed-child': here('../engines/timed-child.ts'),
    },
    outdir: lib,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['main'],
    external: ['onnxruntime-node'],
    banner: { js: banner },
    ignoreAnnotations: true,
    logLevel: 'warning',
    plugins: [
      {
        name: 'a reference made here',
        setup: (process) => {
          process.onResolve({ filter: /^\.\/reference\.ts$/ }, ({ importer }) =>
            importer.includes('tests/engines') ? { path: here('reference.ts') } : undefined,
          );
        },
      },
    ],
  });
  writeFileSync(join(lib, 'reference.json'), JSON.stringify(await reference()));
  copyFileSync(here('../engines/pytorch.py'), join(lib, 'pytorch.py'));
  const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  for (const name of readdirSync(wasm).filter((file) => file.endsWith('.wasm'))) {
    copyFileSync(join(wasm, name), join(lib, name));
  }
  copyFileSync(join(root, 'packages/pipeline/wasm/kernels.wasm'), join(lib, 'kernels.wasm'));
}

/** libvulkan.so.1 of this machine, else of its distribution's package. */
function writeVulkanLoader(folder: string, work: string): void {
  mkdirSync(folder, { recursive: true });
  const icd = {
    file_format_version: '1.0.0',
    ICD: { library_path: 'libGLX_nvidia.so.0', api_version: '1.3.0' },
  };
  writeFileSync(join(folder, 'nvidia_icd.json'), JSON.stringify(icd));
  const to = join(folder, 'libvulkan.so.1');
  const own = findLibrary('libvulkan.so.1');
  if (own) {
    copyFileSync(own, to);
    return;
  }
  try {
    execFileSync('apt-get', ['download', 'libvulkan1'], { cwd: work, stdio: 'ignore' });
    const deb = readdirSync(work).find((name) => name.startsWith('libvulkan1_'))!;
    execFileSync('dpkg', ['-x', join(work, deb), join(work, 'libvulkan1')]);
    copyFileSync(realpathSync(join(work, 'libvulkan1/usr/lib/x86_64-linux-gnu/libvulkan.so.1')), to);
  } catch {
    console.error('bundle: no Vulkan loader to be had (apt-get install libvulkan1): the bundle goes without');
  }
}

const { values } = parseArgs({ options: { tensorflow: { type: 'boolean', default: false } } });
const work = mkdtempSync(join(tmpdir(), 'retraind-gpu-'));
try {
  const folder = join(work, 'retraind-gpu');
  const lib = join(folder, 'lib');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  await writeScripts(lib);
  execFileSync('strip', ['-o', join(folder, 'bin/node'), process.execPath]);
  chmodSync(join(folder, 'bin/node'), 0o755);
  await placeDawn(join(lib, 'dawn.node'));
  writeVulkanLoader(join(lib, 'vulkan'), work);
  cpSync(here('run.sh'), join(folder, 'run'));
  chmodSync(join(folder, 'run'), 0o755);
  mkdirSync(out, { recursive: true });
  const archive = join(out, 'retraind-gpu.tar.xz');
  const part = join(out, `retraind-gpu.${process.pid}.part`);
  execFileSync('tar', ['-C', work, '-cf', part, '-I', 'xz -6 -T0', 'retraind-gpu']);
  renameSync(part, archive);
  const { size } = statSync(archive);
  console.log(`${archive}: ${(size / 1e6).toFixed(1)} MB`);
  if (size > largestBytes) throw new Error(`the bundle has ${size} bytes, more than ${largestBytes}`);
  if (values.tensorflow) await writePieces(join(out, 'tensorflow'));
} finally {
  rmSync(work, { recursive: true, force: true });
}
