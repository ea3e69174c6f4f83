// The programs of ours that a sandbox gets, by their places on this machine.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from '@retraind/shared/wire/problems';
import { bundleEvaluator, type Evaluator } from './runtime/bundle.ts';
import type { Mount } from './sandbox/sandbox.ts';
import { findTfjsNode, type TfjsNode } from './tfjs-node.ts';

export interface Programs {
  /** Node's own binary. */
  node: string;
  /** Folder of the built retrain-tfjs (packages/pipeline/build.mjs). */
  retrainTfjs: string;
  /** `retrain-tfjs 0.1.0 (sha256 …)`: goes into the record. */
  retrainTfjsVersion: string;
  /** TensorFlow for retrain-tfjs, where this node has it. */
  tfjsNode: TfjsNode | null;
  evaluator: Evaluator;
}

const builtTfjs = fileURLToPath(new URL('../../../build/retrain-tfjs', import.meta.url));

/**
 * Finds and bundles them. `cache`: folder that outlives the run; `tfjsNode`: what infra/gpu/install-tfjs-node made.
 * Problem `tool-missing` where retrain-tfjs was never built, or where that folder is not whole.
 */
export const findPrograms = async (cache: string, tfjsNode: string | null): Promise<Programs> => {
  const manifestPath = join(builtTfjs, 'manifest.json');
  if (!existsSync(manifestPath)) {
    throw new Problem(
      'tool-missing',
      `retrain-tfjs is not built (${builtTfjs}).`,
      'Type: node scripts/prepare.mjs',
    );
  }
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as { version: string; sha256: string };
  return {
    node: process.execPath,
    retrainTfjs: builtTfjs,
    retrainTfjsVersion: `retrain-tfjs ${manifest.version} (sha256 ${manifest.sha256})`,
    tfjsNode: tfjsNode === null ? null : findTfjsNode(tfjsNode),
    evaluator: await bundleEvaluator(cache),
  };
};

export const nodeMount = ({ node }: Programs): Mount => ({
  source: node,
  target: '/opt/retrain/bin/node',
  writable: false,
});

export const tfjsMount = ({ retrainTfjs }: Programs): Mount => ({
  source: retrainTfjs,
  target: '/opt/retrain/tfjs',
  writable: false,
});

/** TensorFlow's folder at a fixed place; nothing where this node has none. */
export const tfjsNodeMount = ({ tfjsNode }: Programs): { tfjsNode?: Mount } =>
  tfjsNode === null
    ? {}
    : { tfjsNode: { source: tfjsNode.folder, target: '/opt/retrain/tfjs-node', writable: false } };

/** PATH of a recipe: retrain-tfjs, Node, then the system's. `pathInside` as in Sandbox. */
export const recipePath = (programs: Programs, pathInside: (mount: Mount) => string): string =>
  [
    join(pathInside(tfjsMount(programs)), 'bin'),
    dirname(pathInside(nodeMount(programs))),
    '/usr/bin',
    '/bin',
  ].join(':');
