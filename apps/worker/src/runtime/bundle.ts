// The evaluator as one folder that a sandbox can mount: a checkout and its node_modules are not to be seen in there. Its digest
// is part of the evaluator's version: evidence of different evaluators is never compared.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaceFile } from '@retraind/host/replace-file';
import { build } from 'esbuild';

export interface Evaluator {
  /** Shown in evidence: onnxruntime's version and the digest of the program. */
  version: string;
  /** Folder that holds evaluate.mjs. */
  folder: string;
  /** Folders of the packages onnxruntime-node and onnxruntime-common. */
  ortFolder: string;
  ortCommonFolder: string;
}

const packageFolder = (name: string, from: string): string => {
  let folder = dirname(createRequire(from).resolve(name));
  while (
    !existsSync(join(folder, 'package.json')) ||
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name !== name
  ) {
    folder = dirname(folder);
  }
  return folder;
};

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** What esbuild does not carry: WebAssembly that the search for triggers runs on, found beside the bundle. */
const wasmFiles = (): string[] => {
  const require = createRequire(import.meta.url);
  const tfjs = require.resolve('@tensorflow/tfjs-backend-wasm');
  return [
    join(dirname(tfjs), 'tfjs-backend-wasm-simd.wasm'),
    join(root, 'packages/pipeline/wasm/kernels.wasm'),
  ];
};

// tfjs's CommonJS files are bundled into modules: they still ask for require and for the folder of their .wasm.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url), __filename = __fileURLToPath(import.meta.url), __dirname = __fileURLToPath(new URL('.', import.meta.url)).slice(0, -1);`;

/** The program's files by name. tfjs is a chunk of its own, which is read only where it is asked for. */
const programFiles = async (): Promise<Map<string, Uint8Array>> => {
  const { outputFiles } = await build({
    // Paths stand in the program: the same from wherever it is made.
    absWorkingDir: root,
    entryPoints: [fileURLToPath(new URL('./evaluate.ts', import.meta.url))],
    bundle: true,
    write: false,
    splitting: true,
    outdir: 'evaluator',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['main'],
    external: ['onnxruntime-node'],
    banner: { js: banner },
    // tfjs marks as free of side effects what registers its kernels on import.
    ignoreAnnotations: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  for (const path of wasmFiles()) files.set(basename(path), readFileSync(path));
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const program = 'evaluate.mjs';

/** Bundles the evaluator into the cache; quick, and the same bytes every time. */
export const bundleEvaluator = async (cache: string): Promise<Evaluator> => {
  const files = await programFiles();
  const hash = createHash('sha256');
  for (const [name, bytes] of files)
    hash.update(`${name} ${createHash('sha256').update(bytes).digest('hex')}\n`);
  const digest = hash.digest('hex');
  const folder = join(cache, 'evaluator', digest.slice(0, 32));
  const ortFolder = packageFolder('onnxruntime-node', import.meta.url);
  const { version } = JSON.parse(readFileSync(join(ortFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  if (!existsSync(join(folder, program))) {
    await mkdir(folder, { recursive: true });
    // The program last: where it is, the others are.
    for (const [name, bytes] of files) if (name !== program) await replaceFile(join(folder, name), bytes);
    await replaceFile(join(folder, program), files.get(program)!);
  }
  return {
    version: `onnxruntime-node ${version}, evaluator ${digest.slice(0, 16)}`,
    folder,
    ortFolder,
    ortCommonFolder: packageFolder('onnxruntime-common', join(ortFolder, 'package.json')),
  };
};
