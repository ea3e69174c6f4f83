// Files beside a model that hold values of its tensors (ONNX external data): they are part of the model, and go wherever it goes.
import { createReadStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Companion } from '@retraind/shared/verdict/evidence';
import { digestOf } from '../compression.ts';
import { confinedFile } from '../confined-path.ts';
import type { RunContext } from '../steps/context.ts';
import { askEvaluator } from '../steps/evaluator.ts';

/** The key without which no tensor lies in another file. Source: ONNX, docs/ExternalData.md. */
const locationKey = Buffer.from('location');

const mentionsLocation = async (path: string): Promise<boolean> => {
  let end = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    const seen = Buffer.concat([end, chunk as Buffer]);
    if (seen.includes(locationKey)) return true;
    end = seen.subarray(-locationKey.length);
  }
  return false;
};

/**
 * Names, below its folder, of the files that a model keeps its values in. The model is read in the sandbox; what cannot be read names
 * none, and is told when it is evaluated. `folder`: for the question, of its own.
 */
export const findCompanions = async (
  context: RunContext,
  path: string,
  folder: string,
): Promise<readonly string[]> => {
  if (!(await mentionsLocation(path))) return [];
  await mkdir(folder, { recursive: true });
  const question = {
    path,
    folder,
    memoryBytes: 0,
    request: () => ({ companionsOnly: true, statistical: null }),
  };
  return (await askEvaluator(context, question)).companions;
};

/** Digests of companions below the folder of their model, by path. What leads out of it breaks the run. */
export const describeCompanions = async (folder: string, names: readonly string[]): Promise<Companion[]> => {
  const found: Companion[] = [];
  for (const path of [...names].sort()) {
    if ((await confinedFile(folder, path)) === null) continue;
    const { sha256, bytes } = await digestOf(join(folder, path), 'plain');
    found.push({ path, sha256, bytes });
  }
  return found;
};
