// What `retrain-tfjs` computes with. One interface and one list (engines.ts): a new engine is one file and one line.

/** An engine that could be opened. */
export interface OpenEngine {
  /** Name of the tfjs backend that is now the current one. */
  backend: string;
  /** What the run's record says, e.g. `wasm (tfjs 4.22.0, simd)`: whatever decides the bits belongs in it. */
  label: string;
}

export interface Engine {
  name: string;
  /** Whether it is taken where nobody asks for it by name. */
  automatic: boolean;
  /** Makes it tfjs's current backend; answers a reason, in a few words, where this machine cannot. */
  open(): Promise<OpenEngine | { unavailable: string }>;
}
