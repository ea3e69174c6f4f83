// An ONNX graph as a function of tfjs, for its gradients; its values are onnxruntime's to 1e-5 (import.test.ts). Weights are
// constants: nothing trains here. Operators: operators/, one line each; any other is said by name.
import * as tf from '@retraind/pipeline/tf';
import { ModelFault } from '../formats/model-fault.ts';
import { Attributes } from '../onnx/attributes.ts';
import { askedInputs, type OnnxModel, type OnnxOperation } from '../onnx/model.ts';
import { Call, Session } from './call.ts';
import { elementwise } from './operators/elementwise.ts';
import { products } from './operators/products.ts';
import { reductions } from './operators/reductions.ts';
import { shapes } from './operators/shapes.ts';
import { windows } from './operators/windows.ts';
import { Unimportable } from './unimportable.ts';
import { held, heldOf, type Live, live, plain, shapeOf, type Value } from './value.ts';

/** One line each: what is not here is refused by its name. */
const operators = new Map(
  Object.entries({ ...elementwise, ...products, ...reductions, ...shapes, ...windows }),
);

export interface ImportedNet {
  /** Of one record, as the graph's input takes it. */
  recordShape: readonly number[];
  /** Outputs a record. */
  outputs: number;
  /** Multiply-adds a record. */
  work: number;
  /** Values a record, those of all nodes together. */
  values: number;
  /**
   * [N, …recordShape] → [N, outputs]. `scores`: what the net's last softmax is taken of, where it ends with one (`endsWithSoftmax`).
   * The same operations at each call of one N.
   */
  forward(inputs: tf.Tensor, scores?: boolean): tf.Tensor2D;
  endsWithSoftmax: boolean;
  dispose(): void;
}

export type Import = { net: ImportedNet } | { refused: string };

const maxNodes = 20_000;
/** Multiply-adds of the two records by which a graph is tried: about ten seconds. */
const maxTrialWork = 2e10;

interface Step {
  node: number;
  operation: OnnxOperation;
  attributes: Attributes;
}

const message = (error: unknown): string =>
  String((error as Error).message ?? error)
    .split('\n')[0]!
    .slice(0, 300);

class Net {
  readonly #model: OnnxModel;
  readonly #session = new Session();
  /** What does not depend on the input, by name. */
  readonly #fixed = new Map<string, Value>();
  readonly #steps: Step[] = [];
  readonly #input: string;
  readonly #output: string;

  constructor(model: OnnxModel) {
    this.#model = model;
    const { graph } = model;
    if (graph.operations.length > maxNodes) throw new Unimportable(`it has more than ${maxNodes} nodes`);
    const inputs = askedInputs(model);
    if (inputs.length !== 1 || graph.outputs.length !== 1) {
      throw new Unimportable(`it has ${inputs.length} inputs and ${graph.outputs.length} outputs`);
    }
    this.#input = inputs[0]!.name;
    this.#output = graph.outputs[0]!.name;
    for (const { operator } of graph.operations) {
      if (!operators.has(operator)) throw new Unimportable(`operator ${operator}`);
    }
    for (const tensor of graph.tensors) this.#fixed.set(tensor.name, heldOf(tensor));
  }

  /** Computes once what depends on constants only. */
  prepare(): void {
    this.#session.maxWork = maxTrialWork;
    const live = new Set([this.#input]);
    for (const [node, operation] of this.#model.graph.operations.entries()) {
      const step = { node, operation, attributes: new Attributes(operation.attributes) };
      if (operation.operator === 'Shape' || operation.inputs.some((name) => live.has(name))) {
        for (const name of operation.outputs) live.add(name);
        this.#steps.push(step);
        continue;
      }
      tf.tidy(() => {
        const values = this.#compute(step, this.#fixed).map(read);
        for (const [i, name] of operation.outputs.entries()) if (values[i]) this.#fixed.set(name, values[i]);
      });
    }
  }

  #compute({ node, operation, attributes }: Step, values: ReadonlyMap<string, Value>): Value[] {
    const { operator } = operation;
    const inputs = operation.inputs.map((name) => {
      if (name === '') return null;
      const value = values.get(name);
      if (!value)
        throw new Unimportable(`operator ${operator} asks for ${JSON.stringify(name)}, which nothing gives`);
      return value;
    });
    try {
      const { opset } = this.#model;
      return operators.get(operator)!(
        new Call({ node, operator, attributes, opset, inputs, session: this.#session }),
      );
    } catch (error) {
      if (error instanceof Unimportable || error instanceof ModelFault) throw error;
      // tfjs says of shapes what does not fit.
      throw new Unimportable(`operator ${operator}: ${message(error)}`);
    }
  }

  run(inputs: tf.Tensor): Live {
    const values = new Map(this.#fixed);
    values.set(this.#input, live(inputs));
    for (const step of this.#steps) {
      const results = this.#compute(step, values);
      step.operation.outputs.forEach((name, i) => {
        const result = results[i];
        if (name !== '' && result) values.set(name, result);
      });
    }
    const output = values.get(this.#output);
    if (output?.kind !== 'live') throw new Unimportable('its output does not depend on its input');
    return output;
  }

  /** Runs two records of zeros; answers what is to be known of the net. */
  trial(
    recordShape: readonly number[],
  ): Pick<ImportedNet, 'outputs' | 'work' | 'values' | 'endsWithSoftmax'> {
    this.#session.work = 0;
    this.#session.values = 0;
    return tf.tidy(() => {
      const output = this.run(tf.zeros([2, ...recordShape]));
      const shape = shapeOf(output);
      if (shape[0] !== 2 || shape.length < 2)
        throw new Unimportable(`its output for 2 records has the shape ${shape.join('x')}`);
      const outputs = shape.slice(1).reduce((a, b) => a * b, 1);
      const { work, values } = this.#session;
      this.#session.maxWork = Number.POSITIVE_INFINITY;
      return {
        outputs,
        work: work / 2,
        values: values / 2,
        endsWithSoftmax: output.scores !== undefined && shape.length === 2,
      };
    });
  }

  dispose(): void {
    this.#session.dispose();
  }
}

const read = (value: Value): Value =>
  value.kind === 'held' ? value : held(shapeOf(value), 1, plain(value).dataSync() as Float32Array);

/**
 * Imports a graph that takes records of `recordShape`, on tfjs's current engine. Answers why not where it uses what is not computed here
 * (`operator X`), or more memory or work than is allowed.
 */
export const importOnnx = (model: OnnxModel, recordShape: readonly number[]): Import => {
  let net: Net | null = null;
  try {
    net = new Net(model);
    net.prepare();
    const known = net.trial(recordShape);
    const opened = net;
    return {
      net: {
        recordShape,
        ...known,
        forward: (inputs, scores = false) => {
          const output = opened.run(inputs);
          const asked = scores && known.endsWithSoftmax ? output.scores! : output;
          return tf.reshape(plain(asked), [inputs.shape[0]!, known.outputs]);
        },
        dispose: () => opened.dispose(),
      },
    };
  } catch (error) {
    net?.dispose();
    if (error instanceof Unimportable || error instanceof ModelFault) return { refused: error.message };
    throw error;
  }
};
