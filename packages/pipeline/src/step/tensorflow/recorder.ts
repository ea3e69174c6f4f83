// What a piece of code asks TensorFlow to do, operation by operation: tfjs-node's kernels all end in the binding's
// executeOp, with TensorFlow's own names and attributes. Tensors are known by the binding's ids, which are never reused.
import type { OpAttribute, OpOutput, TensorflowBinding } from '../../engine/tensorflow/binding.ts';
import { NotReplayable } from '../not-replayable.ts';
import { recipeLine, stackDepth } from '../recipe-line.ts';

export interface RecordedOp {
  name: string;
  attributes: OpAttribute[];
  inputs: number[];
  outputs: OpOutput[];
  /** Where it was asked for: its stack is only made into text for a message. */
  site: Error;
}

/** A tensor that no operation of the recording made. */
export interface Constant {
  shape: number[];
  dtype: number;
  values: ArrayBufferView;
}

export interface Recording {
  ops: RecordedOp[];
  constants: Map<number, Constant>;
}

/**
 * Records what `act` does. `known` are the ids of its inputs and variables: with the results of operations, they are what the
 * code may not read back. `act` is handed a function to call with each id that its result is in. Throws NotReplayable where
 * something is read back.
 */
export function recorded<T>(
  binding: TensorflowBinding,
  known: ReadonlySet<number>,
  act: (see: (id: number) => void) => T,
): { result: T; recording: Recording } {
  const { executeOp, createTensor, tensorDataSync } = binding;
  const ops: RecordedOp[] = [];
  const constants = new Map<number, Constant>();
  const madeBy = new Map<number, RecordedOp>();
  /** Shapes and dtypes of what JavaScript has handed over meanwhile. */
  const handedOver = new Map<number, { shape: number[]; dtype: number }>();
  const { stackTraceLimit } = Error;

  binding.createTensor = (shape, dtype, values) => {
    const id = createTensor(shape, dtype, values);
    handedOver.set(id, { shape: [...shape], dtype });
    return id;
  };
  binding.executeOp = (name, attributes, inputs, count) => {
    inputs.forEach(see);
    const outputs = executeOp(name, attributes, inputs, count);
    const op = { name, attributes, inputs: [...inputs], outputs, site: new Error() };
    ops.push(op);
    for (const { id } of outputs) madeBy.set(id, op);
    return outputs;
  };
  binding.tensorDataSync = (id) => {
    const op = madeBy.get(id);
    if (op || known.has(id)) {
      throw new NotReplayable(
        `the step reads ${op ? `the result of ${op.name}` : 'an input or a variable'} back${recipeLine(new Error())}`,
      );
    }
    return tensorDataSync(id);
  };
  /** For a tensor from before the recording: the binding tells shape and dtype only with an operation's result. */
  const describe = (id: number): { shape: number[]; dtype: number } => {
    const [copy] = executeOp('Identity', [], [id], 1) as [OpOutput];
    binding.deleteTensor(copy.id);
    return copy;
  };
  const see = (id: number): void => {
    if (known.has(id) || madeBy.has(id) || constants.has(id)) return;
    const { shape, dtype } = handedOver.get(id) ?? describe(id);
    constants.set(id, { shape, dtype, values: tensorDataSync(id) });
  };
  Error.stackTraceLimit = stackDepth;
  try {
    return { result: act(see), recording: { ops, constants } };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Object.assign(binding, { executeOp, createTensor, tensorDataSync });
  }
}
