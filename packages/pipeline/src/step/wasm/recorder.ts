// Records which kernels a function runs, on which data, and which C functions they call. Wraps the registry's kernels and the
// backend's own doors for as long as the function runs.

import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { NotReplayable } from '../not-replayable.ts';
import { lineOfTheRecipe } from '../recipe-line.ts';
import { registeredVariables } from '../rollback.ts';
import type { Tensors } from '../step.ts';
import {
  bytesOf,
  type Cfunction,
  firstRecordedId,
  type HeapBackend,
  renumber,
  sizeOf,
  widthOf,
  withHighIds,
} from './heap.ts';
import {
  type Argument,
  type CCall,
  inputsOf,
  type KernelRun,
  type Origin,
  type Recording,
  type Stored,
  type TensorUse,
} from './recording.ts';

type Given = TensorInfo | TensorInfo[] | null | undefined;

/** Kernels that look at their input's shape only: what they make is a constant. */
const shapeOnly = new Set(['OnesLike', 'ZerosLike']);

class Recorder {
  readonly runs: KernelRun[] = [];
  readonly stored: Stored[] = [];
  readonly #backend: HeapBackend;
  readonly #numbers = new Map<object, number>();
  /** By the id that C is given. */
  readonly #byId = new Map<number, number>();
  readonly #origins = new Map<object, Origin>();
  /** Made of constants only. */
  readonly #constants = new Set<number>();
  #current: KernelRun | null = null;
  #refused: NotReplayable | null = null;

  constructor(backend: HeapBackend, inputs: Tensors) {
    this.#backend = backend;
    for (const [name, { dataId }] of Object.entries(inputs)) {
      this.#origins.set(dataId, { kind: 'input', name });
    }
    for (const variable of Object.values(registeredVariables())) {
      this.#origins.set(variable.dataId, { kind: 'variable', variable });
    }
  }

  /** Runs `act` with everything wrapped. */
  during<T>(act: () => T): T {
    const undo = [this.#wrapKernels(), this.#wrapC(), this.#wrapBackend()];
    try {
      const answer = withHighIds(this.#backend, act);
      if (this.#refused) throw this.#refused;
      return answer;
    } finally {
      for (const step of undo) step();
    }
  }

  use({ dataId, shape, dtype }: TensorInfo): TensorUse {
    return { data: this.numberOf(dataId), shape: [...shape], dtype };
  }

  /** The number of some data; what nobody made, fed or declared a variable is a constant from here on. */
  numberOf(dataId: object): number {
    const known = this.#numbers.get(dataId);
    if (known !== undefined) return known;
    const entry = this.#backend.dataIdMap.get(dataId);
    if (widthOf(entry.dtype) === 0) throw this.#refusal(`handles values of type ${entry.dtype}`);
    if (entry.id < firstRecordedId) renumber(this.#backend, entry);
    const origin = this.#origins.get(dataId) ?? { kind: 'constant', bytes: bytesOf(this.#backend, entry) };
    return this.#enter(dataId, entry.id, { origin, size: sizeOf(entry.shape), dtype: entry.dtype });
  }

  #enter(dataId: object, id: number, stored: Stored): number {
    const number = this.stored.push(stored) - 1;
    this.#numbers.set(dataId, number);
    this.#byId.set(id, number);
    return number;
  }

  /** Kept, too: the recipe's code may catch what is thrown inside of it. */
  #refusal(what: string): NotReplayable {
    this.#refused ??= new NotReplayable(`${this.#current?.name ?? 'the step'} ${what}${lineOfTheRecipe()}`);
    return this.#refused;
  }

  #readBack(dataId: object): NotReplayable {
    const data = this.#numbers.get(dataId);
    const maker = this.runs.findLast(({ outputs }) => outputs.some((output) => output.data === data));
    this.#refused ??= new NotReplayable(
      `the values of ${maker?.name ?? 'a tensor'} are read back${lineOfTheRecipe()}`,
    );
    return this.#refused;
  }

  #wrapKernels(): () => void {
    const kernels = tf.getKernelsForBackend('wasm');
    const plain = new Map<KernelConfig, KernelConfig['kernelFunc']>();
    for (const kernel of kernels) {
      const { kernelFunc } = kernel;
      plain.set(kernel, kernelFunc);
      kernel.kernelFunc = (params) =>
        this.#current === null ? this.#outermost(kernel.kernelName, kernelFunc, params) : kernelFunc(params);
    }
    return () => {
      for (const [kernel, kernelFunc] of plain) kernel.kernelFunc = kernelFunc;
    };
  }

  #outermost(
    name: string,
    kernelFunc: KernelConfig['kernelFunc'],
    params: Parameters<KernelConfig['kernelFunc']>[0],
  ): TensorInfo | TensorInfo[] {
    const run: KernelRun = {
      name,
      kernelFunc,
      inputs: {},
      attrs: structuredClone(params.attrs ?? {}),
      outputs: [],
      made: [],
      calls: [],
      hostWork: false,
      fixed: null,
    };
    this.#current = run;
    try {
      run.inputs = this.#given(params.inputs as unknown as Record<string, Given> | TensorInfo[]);
      const result = kernelFunc(params);
      const outputs = Array.isArray(result) ? result : [result];
      run.outputs = outputs.map((output) => this.use(output));
      if (shapeOnly.has(name) || inputsOf(run).every(({ data }) => this.#isConstant(data))) {
        run.fixed = outputs.map(({ dataId }) => bytesOf(this.#backend, this.#backend.dataIdMap.get(dataId)));
        for (const { data } of run.outputs) this.#constants.add(data);
      }
      this.runs.push(run);
      return result;
    } finally {
      this.#current = null;
    }
  }

  #given(inputs: Record<string, Given> | TensorInfo[]): KernelRun['inputs'] {
    const one = (given: TensorInfo | null | undefined) => (given ? this.use(given) : null);
    if (Array.isArray(inputs)) return inputs.map(one);
    return Object.fromEntries(
      Object.entries(inputs).map(([name, given]) => [
        name,
        Array.isArray(given) ? given.map((each) => this.use(each)) : one(given),
      ]),
    );
  }

  #isConstant(data: number): boolean {
    return this.#constants.has(data) || this.stored[data]!.origin.kind === 'constant';
  }

  /** Binds every kernel's C functions anew, to functions that take notes. */
  #wrapC(): () => void {
    const backend = this.#backend;
    const kernels = tf.getKernelsForBackend('wasm').filter(({ setupFunc }) => setupFunc);
    const cwrap = (...signature: Parameters<HeapBackend['wasm']['cwrap']>): Cfunction => {
      const call = backend.wasm.cwrap(...signature);
      return (...args) => {
        const result = call(...args);
        this.#note(signature[0], args, result);
        return result;
      };
    };
    const listening = Object.create(backend, {
      wasm: { value: Object.create(backend.wasm, { cwrap: { value: cwrap } }) },
    });
    for (const { setupFunc } of kernels) setupFunc!(listening);
    return () => {
      for (const { setupFunc } of kernels) setupFunc!(backend);
    };
  }

  #note(name: string, args: unknown[], result: unknown): void {
    const run = this.#current;
    if (run === null) return;
    const call: CCall = { name, args: [] };
    for (const arg of args) {
      const noted = this.#argument(arg);
      if (noted === null) run.hostWork = true;
      else call.args.push(noted);
    }
    // What C answers is an address or a count that JavaScript goes on with.
    if (result !== undefined) run.hostWork = true;
    run.calls.push(call);
  }

  #argument(arg: unknown): Argument | null {
    if (arg instanceof Uint8Array) return { bytes: arg.slice() };
    if (arg === undefined || arg === null) return 0;
    if (typeof arg === 'boolean') return Number(arg);
    if (typeof arg !== 'number') return null;
    if (arg < firstRecordedId) return arg;
    const data = this.#byId.get(arg);
    return data === undefined ? null : { data };
  }

  /** Own properties hide the backend's methods until they are deleted. */
  #wrapBackend(): () => void {
    const backend = this.#backend;
    const read = (dataId: object): void => {
      if (this.#current === null) throw this.#readBack(dataId);
      this.#current.hostWork = true;
      this.numberOf(dataId);
    };
    const doors: Partial<HeapBackend> = {
      write: (values, shape, dtype) => {
        const dataId = Object.getPrototypeOf(backend).write.call(backend, values, shape, dtype);
        const run = this.#current;
        if (run !== null) {
          if (widthOf(dtype) === 0) throw this.#refusal(`handles values of type ${dtype}`);
          if (values) run.hostWork = true;
          const { id } = backend.dataIdMap.get(dataId);
          run.made.push(this.#enter(dataId, id, { origin: { kind: 'made' }, size: sizeOf(shape), dtype }));
        }
        return dataId;
      },
      makeOutput: (shape, dtype, address, values) => {
        if (address !== undefined && address !== null) throw this.#refusal('makes its own memory');
        return Object.getPrototypeOf(backend).makeOutput.call(backend, shape, dtype, address, values);
      },
      typedArrayFromHeap: (tensor) => {
        if (this.#current) this.#current.hostWork = true;
        return Object.getPrototypeOf(backend).typedArrayFromHeap.call(backend, tensor);
      },
      readSync: (dataId) => {
        read(dataId);
        return Object.getPrototypeOf(backend).readSync.call(backend, dataId);
      },
      read: (dataId) => {
        read(dataId);
        return Object.getPrototypeOf(backend).read.call(backend, dataId);
      },
    };
    Object.assign(backend, doors);
    return () => {
      for (const door of Object.keys(doors)) delete backend[door as keyof HeapBackend];
    };
  }
}

/** Runs `act` on the inputs and records it. The answered tensor is disposed of. Throws NotReplayable at what cannot be. */
export function record(backend: HeapBackend, inputs: Tensors, act: () => tf.Tensor): Recording {
  const recorder = new Recorder(backend, inputs);
  const before = new Map(Object.values(registeredVariables()).map((variable) => [variable, variable.dataId]));
  const answer = recorder.during(act);
  const written = new Map<tf.Variable, number>();
  for (const variable of Object.values(registeredVariables())) {
    const was = before.get(variable);
    if (was === undefined)
      throw new NotReplayable(`the step makes a variable (${variable.name}) at every run`);
    if (was !== variable.dataId) written.set(variable, recorder.numberOf(variable.dataId));
  }
  const result = recorder.use(answer);
  const resultBytes = bytesOf(backend, backend.dataIdMap.get(answer.dataId));
  answer.dispose();
  return { stored: recorder.stored, runs: recorder.runs, result, resultBytes, written };
}
