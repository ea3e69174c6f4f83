// A graph loaded into TensorFlow through the binding's own loadSavedModel, and run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpOutput, TensorflowBinding } from '../../engine/tensorflow/binding.ts';
import { plainFunctions, plainNode } from './plain-ops.ts';
import { type GraphNode, savedModelBytes, servingTag } from './saved-model.ts';

export class Session {
  readonly #binding: TensorflowBinding;
  readonly #id: number;

  /** Throws TensorFlow's own error where it refuses the graph. */
  constructor(binding: TensorflowBinding, nodes: readonly GraphNode[]) {
    this.#binding = binding;
    // TensorFlow reads a folder by its name, at once and never again.
    const folder = mkdtempSync(join(tmpdir(), 'retrain-step-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), savedModelBytes(nodes.map(plainNode), plainFunctions), {
        mode: 0o600,
      });
      this.#id = binding.loadSavedModel(folder, servingTag);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Answers new tensors of the binding, which the caller deletes. Names: `node:output`, joined by commas. */
  run(ids: number[], fed: string, fetched: string): OpOutput[] {
    return this.#binding.runSavedModel(this.#id, ids, fed, fetched);
  }

  close(): void {
    this.#binding.deleteSavedModel(this.#id);
  }
}
