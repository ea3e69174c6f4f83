// The evaluator as one file that a sandbox can mount: a checkout and its node_modules are not to be seen in there. Its digest
// is part of the evaluator's version: evidence of different evaluators is never compared.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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

/** Bundles the evaluator into the cache; quick, and the same bytes every time. */
export const bundleEvaluator = async (cache: string): Promise<Evaluator> => {
  const result = await build({
    entryPoints: [fileURLToPath(new URL('./evaluate.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['onnxruntime-node'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'silent',
  });
  const program = result.outputFiles[0]!.contents;
  const digest = createHash('sha256').update(program).digest('hex');
  const folder = join(cache, 'evaluator', digest.slice(0, 32));
  const ortFolder = packageFolder('onnxruntime-node', import.meta.url);
  const { version } = JSON.parse(readFileSync(join(ortFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  if (!existsSync(join(folder, 'evaluate.mjs'))) {
    await mkdir(folder, { recursive: true });
    await replaceFile(join(folder, 'evaluate.mjs'), program);
  }
  return {
    version: `onnxruntime-node ${version}, evaluator ${digest.slice(0, 16)}`,
    folder,
    ortFolder,
    ortCommonFolder: packageFolder('onnxruntime-common', join(ortFolder, 'package.json')),
  };
};
