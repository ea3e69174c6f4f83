// What `retrain-tfjs` computes with. One interface and one list (engines.ts): a new engine is one file and one line.

/**
 * Where the same seed gives the same bits: `everywhere` on any machine, `machine` on the same machine with the same
 * settings, `device` on the same device with the same driver, `none` nowhere.
 */
export type Determinism = 'everywhere' | 'machine' | 'device' | 'none';

/** An engine that could be opened. */
export interface OpenEngine {
  /** Name of the tfjs backend that is now the current one. */
  backend: string;
  /** What the run's record says, e.g. `wasm (tfjs 4.22.0, simd)`: whatever decides the bits belongs in it. */
  label: string;
  /** Of the library that computes, e.g. `TensorFlow 2.21.0`. */
  version: string;
  /** What it computes on: `cpu`, or a GPU's name as its driver tells it. */
  device: string;
  determinism: Determinism;
}

export interface Engine {
  name: string;
  /** Whether it is taken where nobody asks for it by name. */
  automatic: boolean;
  /** Makes it tfjs's current backend; answers a reason, in a few words, where this machine cannot. */
  open(): Promise<OpenEngine | { unavailable: string }>;
}
